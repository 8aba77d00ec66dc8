"""Django's cache through django-redis (see application.py)."""

import time

import application

try:
    import django
    import django_redis
    from django.conf import settings
except ImportError as error:
    application.leave_out(error)

settings.configure(CACHES={
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"redis://127.0.0.1:{application.port()}/1",
        "OPTIONS": {
            "CLIENT_CLASS": "django_redis.client.DefaultClient",
            "COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor",
        },
        "KEY_PREFIX": "shop",
    }
})
django.setup()

from django.core.cache import cache  # noqa: E402: needs the settings


def check_values_are_kept_for_their_time():
    cache.set("basket", {"items": [1, 2, 3], "text": "x" * 10_000}, timeout=30)
    assert cache.get("basket")["items"] == [1, 2, 3]
    assert 0 < cache.ttl("basket") <= 30
    assert cache.add("basket", 1) is False and cache.add("other", 1) is True
    cache.set("short", 1, timeout=0.1)
    time.sleep(0.2)
    assert cache.get("short", "gone") == "gone"
    assert cache.persist("basket") and cache.ttl("basket") is None
    assert cache.touch("basket", 60) and 0 < cache.ttl("basket") <= 60
    assert cache.get_or_set("lazy", lambda: 7) == 7 and cache.get("lazy") == 7


def check_many_values_and_counters():
    cache.set_many({f"k{n}": n for n in range(100)})
    assert cache.get_many([f"k{n}" for n in range(100)]) == {f"k{n}": n for n in range(100)}
    cache.set("visits", 1)
    assert cache.incr("visits") == 2 and cache.decr("visits", 2) == 0
    cache.set("v", "one", version=1)
    assert cache.incr_version("v") == 2 and cache.get("v", version=2) == "one"
    try:
        cache.incr("absent")
    except ValueError:
        pass
    else:
        raise AssertionError("an absent key was incremented")


def check_keys_are_found_and_deleted_by_pattern():
    cache.set_many({f"session:{n}": n for n in range(500)})
    assert len(cache.keys("session:*")) == 500
    assert len(set(cache.iter_keys("session:1*"))) == 111
    assert cache.delete_pattern("session:*") == 500
    assert cache.keys("session:*") == []


def check_a_lock_is_held_by_one():
    with cache.lock("mutex", timeout=5):
        assert cache.lock("mutex", timeout=5).acquire(blocking=False) is False
    assert cache.lock("mutex", timeout=5).acquire(blocking=False) is True


def check_all_is_cleared():
    cache.clear()
    assert cache.get("basket") is None
    assert django_redis.get_redis_connection("default").dbsize() == 0


application.run([
    check_values_are_kept_for_their_time,
    check_many_values_and_counters,
    check_keys_are_found_and_deleted_by_pattern,
    check_a_lock_is_held_by_one,
    check_all_is_cleared,
])
