"""Uses a server through redis-py as an application would.

    python3 redis_py.py PORT [--protocol 2|3]

Ends with status 0 when everything holds, 77 when redis-py is not installed. Each check is a
function `check_*`; one that needs a command which the server does not list is left out.
"""

import argparse
import sys
import threading
import time

try:
    import redis
except ImportError:
    print("redis-py is not installed: pip install -r requirements.txt")
    sys.exit(77)

KEYS = 500
THREADS = 32
ROUNDS = 200


def check_strings(r, connect):
    assert r.set("k", "v") is True
    assert r.get("k") == b"v"
    assert r.set("k", "w", nx=True) is None
    assert r.set("k", "w", get=True) == b"v"
    assert r.mset({"a": 1, "b": 2}) is True
    assert r.mget("a", "b", "nokey") == [b"1", b"2", None]
    assert r.incr("n") == 1 and r.incrby("n", 41) == 42 and r.decr("n") == 41
    assert r.incrbyfloat("f", 1.5) == 1.5
    assert r.append("k", "xyz") == 4 and r.strlen("k") == 4
    assert r.getrange("k", 1, -1) == b"xyz"
    assert r.getdel("k") == b"wxyz" and r.exists("k") == 0
    binary = bytes(range(256))
    r.set(binary, binary)
    assert r.get(binary) == binary
    big = b"x" * 5_000_000
    r.set("big", big)
    assert r.get("big") == big


def check_errors(r, connect):
    r.set("k", "text")
    for call in (lambda: r.incr("k"), lambda: r.execute_command("NOSUCH"), lambda: r.execute_command("GET")):
        try:
            call()
        except redis.ResponseError:
            continue
        raise AssertionError("no error")


def check_expiry(r, connect):
    r.set("k", "v", px=150)
    assert 0 < r.pttl("k") <= 150
    time.sleep(0.25)
    assert r.get("k") is None and r.ttl("k") == -2
    r.set("k", "v")
    assert r.ttl("k") == -1
    assert r.expire("k", 100) is True
    assert 98 <= r.ttl("k") <= 100
    assert r.expire("k", 50, gt=True) is False
    assert r.persist("k") is True
    assert r.getex("k", ex=10) == b"v" and 8 <= r.ttl("k") <= 10
    assert r.expireat("k", int(time.time()) + 1000) is True
    assert r.expiretime("k") > time.time()


def check_scan(r, connect):
    names = {f"key:{i}".encode() for i in range(KEYS)}
    r.mset({name: 1 for name in names})
    assert set(r.scan_iter(count=17)) == names
    assert set(r.scan_iter(match="key:1?", count=50)) == {f"key:{i}".encode() for i in range(10, 20)}
    assert set(r.scan_iter(_type="string")) == names
    assert set(r.keys("key:*")) == names
    assert r.dbsize() == KEYS


def check_client_and_info(r, connect):
    c = connect(client_name="me", single_connection_client=True)
    assert c.client_getname() in (b"me", "me")
    mine = c.client_id()
    listed = {int(entry["id"]): entry for entry in r.client_list()}
    assert mine in listed and listed[mine]["name"] == "me"
    assert c.client_info()["name"] == "me"
    server = r.info("server")
    assert isinstance(server["tcp_port"], int) and server["redis_version"]
    assert r.info("clients")["connected_clients"] >= 2
    r.set("k", "v", ex=100)
    assert r.info("keyspace")["db0"]["keys"] == 1
    assert r.config_get("maxmemory") == {"maxmemory": "0"}
    seconds, micros = r.time()
    assert abs(seconds - time.time()) < 100 and 0 <= micros < 1_000_000
    assert "get" in r.command() or b"get" in r.command()
    c.close()


def check_pipelines(r, connect):
    p = r.pipeline(transaction=False)
    for i in range(1000):
        p.set(f"p:{i}", i)
        p.get(f"p:{i}")
    replies = p.execute()
    assert replies[0::2] == [True] * 1000
    assert replies[1::2] == [str(i).encode() for i in range(1000)]
    p = r.pipeline(transaction=False)
    p.set("k", "text").incr("k").get("k")
    replies = p.execute(raise_on_error=False)
    assert replies[0] is True and isinstance(replies[1], redis.ResponseError) and replies[2] == b"text"


def check_threads(r, connect):
    """Many threads share a pool; every increment counts once."""
    failures = []

    def work(number):
        try:
            for i in range(ROUNDS):
                r.incr("shared")
                r.set(f"t:{number}", i)
                assert r.get(f"t:{number}") == str(i).encode()
        except Exception as error:  # noqa: BLE001: whatever it is, it is the finding
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    assert int(r.get("shared")) == THREADS * ROUNDS


def check_databases(r, connect):
    other = connect(db=1)
    r.set("k", "zero")
    assert other.get("k") is None
    other.set("k", "one")
    assert r.get("k") == b"zero"
    assert r.swapdb(0, 1) is True
    assert r.get("k") == b"one"
    other.close()


def check_transactions(r, connect):
    with r.pipeline() as p:
        p.multi()
        p.set("k", 1)
        p.incr("k")
        assert p.execute() == [True, 2]
    with r.pipeline() as p:
        p.watch("k")
        r.set("k", 10)
        p.multi()
        p.incr("k")
        try:
            p.execute()
        except redis.WatchError:
            return
    raise AssertionError("the change went unnoticed")


def check_collections(r, connect):
    assert r.rpush("l", "a", "b", "c") == 3 and r.lrange("l", 0, -1) == [b"a", b"b", b"c"]
    assert r.hset("h", mapping={"f": 1, "g": 2}) == 2 and r.hgetall("h") == {b"f": b"1", b"g": b"2"}
    assert r.sadd("s", "a", "b") == 2 and r.smembers("s") == {b"a", b"b"}
    assert r.zadd("z", {"a": 1.5, "b": 2}) == 2
    ranked = [tuple(pair) for pair in r.zrange("z", 0, -1, withscores=True)]
    assert ranked == [(b"a", 1.5), (b"b", 2.0)], ranked
    assert r.blpop("l", timeout=1) in ((b"l", b"a"), [b"l", b"a"])
    assert r.blpop("nokey", timeout=0.05) is None


def check_streams(r, connect):
    first = r.xadd("x", {"f": "v"})
    assert r.xlen("x") == 1 and r.xrange("x") == [(first, {b"f": b"v"})]
    r.xgroup_create("x", "g", id="0")
    assert r.xreadgroup("g", "c", {"x": ">"})
    assert r.xack("x", "g", first) == 1


def check_pubsub(r, connect):
    p = r.pubsub(ignore_subscribe_messages=True)
    p.subscribe("c")
    p.get_message(timeout=1)
    assert r.publish("c", "hello") == 1
    message = p.get_message(timeout=1)
    assert message and message["data"] == b"hello", message
    p.close()


def check_scripts(r, connect):
    script = r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    assert script(keys=["n"], args=[5]) == 5


# What a check needs beside strings.
NEEDS = {
    check_databases: ["swapdb"],
    check_transactions: ["multi", "exec", "watch"],
    check_collections: ["rpush", "hset", "sadd", "zadd", "blpop"],
    check_streams: ["xadd", "xgroup", "xreadgroup"],
    check_pubsub: ["subscribe", "publish"],
    check_scripts: ["evalsha", "script"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--protocol", type=int, default=2, choices=(2, 3))
    options = parser.parse_args()

    def connect(**more):
        return redis.Redis(
            host="127.0.0.1", port=options.port, protocol=options.protocol, socket_timeout=20, **more
        )

    r = connect()
    listed = {name.decode() for name in r.command_list()}
    failed = 0
    checks = [f for name, f in sorted(globals().items()) if name.startswith("check_")]
    for check in checks:
        missing = [name for name in NEEDS.get(check, []) if name not in listed]
        if missing:
            print(f"{check.__name__}: left out, no {missing[0].upper()}")
            continue
        r.flushall()
        try:
            check(r, connect)
            print(f"{check.__name__}: ok")
        except Exception as error:  # noqa: BLE001: whatever it is, it is the finding
            failed += 1
            print(f"{check.__name__}: FAILED: {type(error).__name__}: {error}")
    print(f"RESP{options.protocol}: {len(checks)} checks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
