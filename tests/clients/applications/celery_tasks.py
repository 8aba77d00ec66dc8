"""Celery with the server as broker and as store of results (see application.py)."""

import application

try:
    import celery
    import redis
    from celery.contrib.testing.worker import start_worker
except ImportError as error:
    application.leave_out(error)

SECONDS = 20

url = f"redis://127.0.0.1:{application.port()}"
app = celery.Celery("tasks", broker=f"{url}/0", backend=f"{url}/1")
app.conf.update(task_default_queue="work", broker_connection_retry_on_startup=True,
                broker_transport_options={"polling_interval": 0.1}, worker_hijack_root_logger=False)


@app.task
def add(a, b):
    return a + b


@app.task(bind=True, max_retries=2)
def fails_at_first(self):
    if self.request.retries == 0:
        raise self.retry(countdown=0)
    return self.request.retries


@app.task
def raises():
    raise ValueError("on purpose")


def check_a_task_is_run_by_a_worker():
    assert add.delay(20, 22).get(timeout=SECONDS) == 42


def check_tasks_are_joined_in_groups_chains_and_chords():
    assert celery.group(add.s(n, n) for n in range(10))().get(timeout=SECONDS) == list(range(0, 20, 2))
    assert celery.chain(add.s(1, 2), add.s(3))().get(timeout=SECONDS) == 6
    total = celery.chord([add.s(n, 1) for n in range(5)], add_up.s())
    assert total().get(timeout=SECONDS) == 15


@app.task
def add_up(numbers):
    return sum(numbers)


def check_a_task_is_tried_again_and_errors_come_back():
    assert fails_at_first.delay().get(timeout=SECONDS) == 1
    try:
        raises.delay().get(timeout=SECONDS)
    except ValueError as error:
        assert str(error) == "on purpose"
    else:
        raise AssertionError("no error")


def check_results_are_forgotten():
    result = add.delay(1, 1)
    assert result.get(timeout=SECONDS) == 2
    result.forget()
    store = redis.Redis(host="127.0.0.1", port=application.port(), db=1)
    assert not store.exists(f"celery-task-meta-{result.id}")


with start_worker(app, pool="solo", concurrency=1, perform_ping_check=False, loglevel="WARNING",
                  shutdown_timeout=SECONDS):
    application.run([
        check_a_task_is_run_by_a_worker,
        check_tasks_are_joined_in_groups_chains_and_chords,
        check_a_task_is_tried_again_and_errors_come_back,
        check_results_are_forgotten,
    ])
