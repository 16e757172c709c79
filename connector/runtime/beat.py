"""What the long-lived processes share: beats that never stop, patience, and a clean end."""

from __future__ import annotations

import os
import signal
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE = 10.0
LOOK_EVERY = 0.1

log = structlog.get_logger(__name__)


def load(name: str) -> Any:
    """Return what a dotted name names; imported only now, so that processes start fast."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


class Patience:
    """How long to wait after the next failure: doubling from `first` to `most`."""

    def __init__(self, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._next = first

    def after_failure(self) -> float:
        """Return how long to wait now, and be slower the next time."""
        wait, self._next = self._next, min(self._next * 2, self._most)
        return wait

    def after_success(self) -> None:
        """Start from the beginning again."""
        self._next = self._first


class Stop:
    """Whether this process was asked to end; `GRACE` seconds later it ends in any case.

    The signal handler only sets a flag: an exception out of it could tear apart whatever line
    was just running, and a lock in it could be held by that very line.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self.requested = False
        self._grace = grace

    def listen(self) -> None:
        """Take SIGTERM and SIGINT from here on; main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request)
        threading.Thread(target=self._enforce, name="stop", daemon=True).start()

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until the end is asked for."""
        until = time.monotonic() + seconds
        while not self.requested and (left := until - time.monotonic()) > 0:
            time.sleep(min(LOOK_EVERY, left))

    def _request(self, *_: object) -> None:
        self.requested = True

    def _enforce(self) -> None:
        while not self.requested:
            time.sleep(LOOK_EVERY)
        time.sleep(self._grace)
        log.warning("stopped_in_the_middle", after_seconds=self._grace)
        os._exit(0)


class Beat(threading.Thread):
    """Calls something again and again until the end; an exception only makes it slower."""

    def __init__(self, name: str, every: float, call: Callable[[], object], stop: Stop) -> None:
        super().__init__(name=name, daemon=True)
        self._every = every
        self._call = call
        self._stop_asked = stop
        self._patience = Patience(max(every, 0.5), 30.0)

    def run(self) -> None:
        """Beat."""
        while not self._stop_asked.requested:
            self._stop_asked.pause(self.once())

    def once(self) -> float:
        """Call; return after how long to call again."""
        try:
            self._call()
        except (Exception, SystemExit):
            wait = self._patience.after_failure()
            log.exception("beat_failed", beat=self.name, again_in=wait)
            return wait
        self._patience.after_success()
        return self._every
