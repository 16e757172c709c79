"""One child of the supervisor: started again when it dies, slower each time; stopped in time."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from connector.domain.errors import ConnectorError
from connector.runtime.beat import GRACE, Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.runtime.lifeline import Child

FIRST_WAIT, MOST_WAIT = 0.25, 10.0
HEALTHY_AFTER = 10.0
AT_ONCE = 2.0

log = structlog.get_logger(__name__)


class Kept:
    """A child process and what to do when it ends; `launch` is told how often it failed at once.

    However often it dies, it is started again after `most_wait` seconds at the latest.
    """

    def __init__(
        self, name: str, wave: int, launch: Callable[[int], Child], most_wait: float = MOST_WAIT
    ) -> None:
        self.name = name
        self.wave = wave
        self._launch = launch
        self._process: Child | None = None
        self._patience = Patience(FIRST_WAIT, most_wait)
        self._start_at: float | None = 0.0
        self._started_at = 0.0
        self._failed_starts = 0
        self._kill_at = 0.0

    @property
    def alive(self) -> bool:
        """Say whether it runs."""
        return self._process is not None and self._process.poll() is None

    def tend(self) -> None:
        """Start it if it is time to; notice if it died."""
        if self.alive:
            return
        if self._process is not None:
            self._mourn(self._process.returncode)
        elif self._start_at is not None and time.monotonic() >= self._start_at:
            self._start()

    def ask_to_stop(self) -> None:
        """Ask it to finish what it does and end."""
        self._start_at = None
        self._kill_at = time.monotonic() + GRACE
        self._signal(signal.SIGTERM)

    def stopping(self) -> bool:
        """Say whether it still runs; once its time is over it is killed."""
        if self.alive and time.monotonic() >= self._kill_at:
            log.warning("child_killed", child=self.name, after_seconds=GRACE)
            self.kill()
        return self.alive

    def kill(self) -> None:
        """End it at once, with its own children."""
        if self._process is not None and self.alive:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _start(self) -> None:
        self._started_at = time.monotonic()
        try:
            self._process = self._launch(self._failed_starts)
        except ConnectorError as error:
            self._start_at = None
            log.error("child_missing", child=self.name, error=str(error))  # noqa: TRY400 - says all
        else:
            log.info("child_started", child=self.name, pid=self._process.pid)

    def _mourn(self, code: int) -> None:
        lived = time.monotonic() - self._started_at
        self._failed_starts = self._failed_starts + 1 if lived < AT_ONCE else 0
        if lived >= HEALTHY_AFTER:
            self._patience.after_success()
        wait = self._patience.after_failure()
        self._process, self._start_at = None, time.monotonic() + wait
        log.error("child_died", child=self.name, code=code, again_in=wait)
