"""Wake-up signals for jobs, over RQ; SQL is the record, so every signal may be lost.

A signal is coalesced: while the flag `wake:{job}:{id}` stands, that job is on its way. The job
takes the flag away first (`clear`), so what arrives while it runs wakes it again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JobName = Literal["split", "drain", "deliver", "train"]

JOBS: Mapping[str, str] = {
    "split": "connector.jobs.split.split",
    "drain": "connector.jobs.drain.drain",
    "deliver": "connector.jobs.deliver.deliver",
}
# Learning takes long and much: a process of its own, so that nobody waits for it.
TRAINER_JOBS: Mapping[str, str] = {"train": "connector.jobs.train.train"}

QUEUE, TRAINER_QUEUE = "work", "train"
FLAG_SECONDS = 5
FULL = 1000  # jobs; what waits beyond them waits in SQL
# A job ends by itself: it works for a moment, then queues up again behind the others. A timeout
# would be thrown into the middle of a batch, where it looks like a fault of an event.
JOB_TIMEOUT = -1
FAILURE_TTL = 7 * 24 * 3600
ANSWER_WITHIN = 0.2
ASK_AGAIN_AFTER = 1.0

log = structlog.get_logger(__name__)


class Outage:
    """Whether one Redis is away: said in the log once each way, and not asked for a while."""

    def __init__(self) -> None:
        self._down = False
        self._ask_at = 0.0

    def is_over(self) -> bool:
        """Say whether it is worth asking."""
        return time.monotonic() >= self._ask_at

    def began(self, error: Exception) -> None:
        """Note that it did not answer."""
        self._ask_at = time.monotonic() + ASK_AGAIN_AFTER
        if not self._down:
            self._down = True
            log.warning("redis_down", error=str(error), effect="what waits is found by sweeping")

    def ended(self) -> None:
        """Note that it answered."""
        if self._down:
            self._down = False
            log.info("redis_back")


_outages: dict[str, Outage] = defaultdict(Outage)  # one a Redis: every waker here may learn of it


class Waker:
    """Wakes jobs; never raises and never waits long, whatever has become of Redis.

    Threads may share one. After a fork redis-py opens connections of its own; there is no lock
    here that a fork could copy while it is held.
    """

    def __init__(self, redis_url: str, jobs: Mapping[str, str] = JOBS) -> None:
        self._redis = connect(redis_url, answer_within=ANSWER_WITHIN)
        self._jobs = {**jobs, **TRAINER_JOBS}
        self._queues = {
            job: self._queue_named(TRAINER_QUEUE if job in TRAINER_JOBS else QUEUE)
            for job in self._jobs
        }
        self._outage = _outages[redis_url]

    def wake(self, job: JobName, id: str) -> bool:  # noqa: A002 - the word of the contract
        """See to it that a worker runs this job soon; False if Redis can't be told."""
        return self._ask(lambda: self._signal(job, id))

    def clear(self, job: JobName, id: str) -> bool:  # noqa: A002
        """Take the flag away: from here on, a new signal wakes the job again."""
        return self._ask(lambda: self._redis.delete(flag(job, id)))

    def hold_off(self, job: JobName, id: str, seconds: float) -> bool:  # noqa: A002
        """Keep a job from being woken for a while."""
        wait = max(1, round(seconds))
        return self._ask(lambda: self._redis.set(flag(job, id), "held", ex=wait))

    def ping(self) -> bool:
        """Say whether Redis answers."""
        return self._ask(self._redis.ping)

    def eviction(self) -> str:
        """Say what Redis does when its memory is full, "" if it does not tell."""
        found: list[str] = []
        self._ask(lambda: found.append(str(_info(self._redis).get("maxmemory_policy", ""))))
        return "".join(found)

    def _queue_named(self, name: str) -> Queue:
        return Queue(name, connection=self._redis, serializer=JSONSerializer)

    def _signal(self, job: JobName, key: str) -> None:
        queue = self._queues[job]
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.llen(queue.key)
            pipe.set(flag(job, key), "1", nx=True, ex=FLAG_SECONDS)
            waiting, won = pipe.execute()
        if won and waiting < FULL:
            queue.enqueue_call(
                self._jobs[job],
                args=(key,),
                timeout=JOB_TIMEOUT,
                result_ttl=0,
                failure_ttl=FAILURE_TTL,
            )

    def _ask(self, question: Callable[[], object]) -> bool:
        if not self._outage.is_over():
            return False
        try:
            question()
        except (RedisError, OSError) as error:
            self._outage.began(error)
            return False
        self._outage.ended()
        return True


def connect(redis_url: str, *, answer_within: float) -> Redis:
    """Return a client that gives up in time and tries a dropped connection once more."""
    again = Retry(NoBackoff(), 1, supported_errors=(RedisGone,))
    return Redis.from_url(
        redis_url, socket_timeout=answer_within, socket_connect_timeout=answer_within, retry=again
    )


def _info(redis: Redis) -> dict[str, Any]:
    told: Any = redis.info("memory")
    return dict(told)


def flag(job: str, key: str) -> str:
    """Name the flag that says a job is on its way."""
    return f"wake:{job}:{key}"
