"""The sweeper: sees to what waits in SQL, so that lost signals, and a lost Redis, lose no work."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

import structlog

from connector import figures
from connector.runtime.beat import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connector.queue import JobName, Waker
    from connector.runtime.beat import Stop

    Due = Callable[[float], Sequence[tuple[JobName, str]]]

OLDER_WITH_REDIS = 2.0
OLDER_WITHOUT_REDIS = 0.2
FAILED_FIRST, FAILED_MOST = 1.0, 60.0

log = structlog.get_logger(__name__)


class Retries:
    """Remembers which jobs failed lately, so that a poisoned one doesn't run hot."""

    def __init__(self) -> None:
        self._patience: dict[tuple[str, str], Patience] = defaultdict(
            lambda: Patience(FAILED_FIRST, FAILED_MOST)
        )
        self._not_before: dict[tuple[str, str], float] = {}

    def may_run(self, job: str, key: str) -> bool:
        """Say whether it is time to try this job."""
        return time.monotonic() >= self._not_before.get((job, key), 0.0)

    def failed(self, job: str, key: str) -> float:
        """Return how long to leave this job alone."""
        wait = self._patience[job, key].after_failure()
        self._not_before[job, key] = time.monotonic() + wait
        return wait

    def worked(self, job: str, key: str) -> None:
        """Forget what failed before."""
        self._patience.pop((job, key), None)
        self._not_before.pop((job, key), None)


class Sweeper:
    """Sees to what waits in SQL: wakes it through Redis, or runs it here if Redis can't."""

    def __init__(
        self, waker: Waker, due: Due, functions: Mapping[str, Callable[[str], object]]
    ) -> None:
        self._waker = waker
        self._due = due
        self._functions = functions
        self._retries = Retries()

    def sweep(self, stop: Stop) -> None:
        """Look once."""
        reachable = self._waker.ping()
        older_than = OLDER_WITH_REDIS if reachable else OLDER_WITHOUT_REDIS
        for job, key in self._due(older_than):
            if stop.requested:
                return
            if job not in self._functions:
                continue  # somebody else's
            figures.count("bb_sweeper_rescues_total", job=job)
            if not (reachable and self._waker.wake(job, key)):
                self._run(job, key)

    def _run(self, job: str, key: str) -> None:
        if not self._retries.may_run(job, key):
            return
        try:
            self._functions[job](key)
        except (Exception, SystemExit):
            wait = self._retries.failed(job, key)
            figures.count("bb_job_retries_total", job=job)
            log.exception("job_failed", job=job, id=key, again_in=wait)
        else:
            self._retries.worked(job, key)
