"""The worker process: runs jobs that RQ hands over, and looks after what waits in SQL.

RQ is asked through `SimpleWorker`, which runs a job in this process: our jobs are drains of
thousands of rows that may run twice, so a fork for each buys nothing. Its `work()` loop is not
used: it needs Redis to start, quits when Redis is slow, and raises out of signal handlers.
"""

from __future__ import annotations

import gc
import os
import resource
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import structlog
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from connector import figures, logs
from connector.queue import JOBS, QUEUE, TRAINER_JOBS, TRAINER_QUEUE, JobName, Waker, connect
from connector.runtime.beat import Beat, Patience, Stop, load
from connector.runtime.pulse import beats as signs_of_life
from connector.runtime.pulse import end as take_leave
from connector.runtime.sweeper import Retries, Sweeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis
    from rq.job import Job

    from connector.runtime.lifeline import Lifeline
    from connector.settings import Settings

DUE = "connector.bootstrap.due"
PULSE = "connector.bootstrap.pulse"
SWEEP_EVERY = 0.5
WAIT_FOR_JOB = 1  # seconds; also how long SIGTERM may go unnoticed
ANSWER_WITHIN = 3
WORKER_TTL = 60
MAINTENANCE_EVERY = 30


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of worker: its name, its queue, and how far it stands back behind the others."""

    name: str
    queue: str
    nice: int


# A webhook is answered in milliseconds or sent again; what it leads to may wait that long.
WORKER = Kind("worker", QUEUE, 5)
TRAINER = Kind("trainer", TRAINER_QUEUE, 15)
# A batch makes tens of thousands of values that all live until it is stored. Python looks for
# cycles among them every 700: nothing but time is lost by looking less often.
LOOK_FOR_CYCLES_EVERY = 100_000

log = structlog.get_logger(__name__)


def run_worker(
    settings: Settings,
    lifeline: Lifeline,
    *,
    due: str = DUE,
    pulse: str = PULSE,
    jobs: Mapping[str, str] = JOBS,
    kind: Kind = WORKER,
) -> None:
    """Work until SIGTERM, then finish the current job; the functions are dotted names."""
    lifeline.hold()
    os.nice(kind.nice)
    logs.configure(settings)
    stop = Stop()
    stop.listen()
    waker = Waker(settings.redis_url, jobs)
    sweeper = Sweeper(waker, load(due), {name: load(path) for name, path in jobs.items()})
    tell = load(pulse)
    _collect_seldom()
    beats = [
        Beat("sweep", SWEEP_EVERY, lambda: sweeper.sweep(stop), stop),
        signs_of_life(tell, kind.name, stop),
    ]
    for beat in beats:
        beat.start()
    Puller(settings.redis_url, waker, jobs, kind.queue).run(stop)
    for beat in beats:
        beat.join()
    take_leave(tell, kind.name)


def run_trainer(
    settings: Settings,
    lifeline: Lifeline,
    *,
    due: str = DUE,
    pulse: str = PULSE,
    jobs: Mapping[str, str] = TRAINER_JOBS,
) -> None:
    """Learn models until SIGTERM; takes what memory it may, and no more."""
    cap_memory(settings.trainer_memory_mb)
    run_worker(settings, lifeline, due=due, pulse=pulse, jobs=jobs, kind=TRAINER)


def _collect_seldom() -> None:
    """Have the collector of cycles leave alone what is imported by now, and come seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(LOOK_FOR_CYCLES_EVERY, 20, 50)


class Puller:
    """Takes jobs from the queue and runs them, through every outage of Redis."""

    def __init__(
        self, redis_url: str, waker: Waker, jobs: Mapping[str, str], queue: str = QUEUE
    ) -> None:
        self._url = redis_url
        self._queue = queue
        self._waker = waker
        self._names = {path: name for name, path in jobs.items()}
        self._retries = Retries()
        self._maintain_at = 0.0

    def run(self, stop: Stop) -> None:
        """Pull until the end is asked for."""
        patience = Patience(0.2, 5.0)
        while not stop.requested:
            try:
                self._serve(stop, patience)
            except Exception as error:
                if self._is_outage(error):
                    self._sit_out(stop)
                else:
                    wait = patience.after_failure()
                    log.exception("worker_stumbled", again_in=wait)
                    stop.pause(wait)

    def _is_outage(self, error: Exception) -> bool:
        """Say whether Redis is gone: that the waker has already logged, once."""
        return isinstance(error, RedisGone | RedisTimeout) or not self._waker.ping()

    def _sit_out(self, stop: Stop) -> None:
        stop.pause(0.2)
        while not stop.requested and not self._waker.ping():
            stop.pause(0.2)

    def _serve(self, stop: Stop, patience: Patience) -> None:
        connection = connect(self._url, answer_within=ANSWER_WITHIN)
        try:
            worker = _make_worker(connection, self._queue)
            while not stop.requested:
                self._register(worker)
                self._maintain(worker)
                self._pull(worker)
                patience.after_success()
            worker.register_death()  # type: ignore[no-untyped-call] # rq has no types here
        finally:
            connection.close()

    def _register(self, worker: SimpleWorker) -> None:
        """Show up in the list of workers, also after somebody emptied Redis."""
        if not worker.connection.sismember(SimpleWorker.redis_workers_keys, worker.key):
            worker.connection.delete(worker.key)
            worker.register_birth()  # type: ignore[no-untyped-call] # nor here
        worker.heartbeat()

    def _maintain(self, worker: SimpleWorker) -> None:
        """Clear away what dead workers left; a fault in it must not keep jobs from running."""
        if time.monotonic() < self._maintain_at:
            return
        self._maintain_at = time.monotonic() + MAINTENANCE_EVERY
        try:
            worker.run_maintenance_tasks()  # type: ignore[no-untyped-call] # nor here
        except (RedisError, OSError):
            raise
        except Exception:
            log.exception("queue_maintenance_failed")

    def _pull(self, worker: SimpleWorker) -> None:
        with suppress(DequeueTimeout):
            found = Queue.dequeue_any(
                worker.queues,
                WAIT_FOR_JOB,
                connection=worker.connection,
                serializer=JSONSerializer,
            )
            if found:
                self._perform(worker, *found)

    def _perform(self, worker: SimpleWorker, job: Job, queue: Queue) -> None:
        name = self._names.get(job.func_name or "")
        if name is None or _has_callbacks(job):
            # Whoever can write to Redis must not be able to run any function there is.
            log.error("foreign_job_refused", function=job.func_name)
            queue.intermediate_queue.remove(job.id)
            job.delete()
            return
        worker.execute_job(job, queue)
        self._judge(cast("JobName", name), str(job.args[0]), job)

    def _judge(self, name: JobName, key: str, job: Job) -> None:
        if job.get_status(refresh=False) == JobStatus.FAILED:
            figures.count("bb_job_retries_total", job=name)
            self._waker.hold_off(name, key, self._retries.failed(name, key))
        else:
            self._retries.worked(name, key)


class _PromptWorker(SimpleWorker):
    """Keeps our own timeout: RQ's would let a frozen Redis hold us for most of a minute."""

    @property
    def connection_timeout(self) -> int:
        """Return how long an answer may take."""
        return ANSWER_WITHIN


def _make_worker(connection: Redis, name: str) -> SimpleWorker:
    queue = Queue(name, connection=connection, serializer=JSONSerializer)
    return _PromptWorker(
        [queue],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL,
        maintenance_interval=MAINTENANCE_EVERY,
        job_monitoring_interval=10,
        log_job_description=False,
    )


def cap_memory(most_mb: int) -> None:
    """Have this process fail, and nobody else, when it wants more memory than that."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = most_mb * 1024 * 1024
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _has_callbacks(job: Job) -> bool:
    names = ("success", "failure", "stopped")
    return any(getattr(job, f"_{name}_callback_name") for name in names)
