"""RQ: jobs are put into queues, and a worker runs them until there are none (see application.py)."""

import application

try:
    import redis
    import rq
    from rq.job import Job
    from rq.registry import FailedJobRegistry, FinishedJobRegistry
except ImportError as error:
    application.leave_out(error)

connection = redis.Redis(host="127.0.0.1", port=application.port(), socket_timeout=20)


def work(queue):
    """Runs a worker in this process until the queue is empty."""
    worker = rq.SimpleWorker([queue], connection=connection)
    worker.work(burst=True, logging_level="WARNING")


def check_a_job_is_run_and_gives_its_result():
    queue = rq.Queue("default", connection=connection)
    job = queue.enqueue("operator.add", 20, 22)
    assert queue.count == 1 and job.get_status() == "queued", job.get_status()
    work(queue)
    assert queue.count == 0
    job = Job.fetch(job.id, connection=connection)
    assert job.get_status() == "finished" and job.return_value() == 42
    assert job.id in FinishedJobRegistry(queue=queue)


def check_jobs_are_run_in_their_order_and_after_what_they_depend_on():
    queue = rq.Queue("ordered", connection=connection)
    first = queue.enqueue("math.factorial", 5)
    after = queue.enqueue("math.factorial", 6, depends_on=first)
    many = queue.enqueue_many([rq.Queue.prepare_data("math.sqrt", (n * n,)) for n in range(20)])
    assert after.get_status() == "deferred" and queue.count == 21
    work(queue)
    assert first.return_value() == 120 and after.return_value() == 720
    assert [job.return_value() for job in many] == list(range(20))


def check_a_job_that_fails_is_kept_and_tried_again():
    queue = rq.Queue("failing", connection=connection)
    job = queue.enqueue("operator.truediv", 1, 0, retry=rq.Retry(max=1))
    work(queue)
    assert job.get_status(refresh=True) == "failed"
    registry = FailedJobRegistry(queue=queue)
    assert job.id in registry
    registry.requeue(job.id)
    assert queue.count == 1


application.run([
    check_a_job_is_run_and_gives_its_result,
    check_jobs_are_run_in_their_order_and_after_what_they_depend_on,
    check_a_job_that_fails_is_kept_and_tried_again,
])
