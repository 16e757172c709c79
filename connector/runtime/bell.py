"""Rings for somebody else to come, from a thread of its own: whoever pulls does not wait."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

REST = 0.05  # seconds between two rings: many pulls are one ring

log = structlog.get_logger(__name__)


class Bell:
    """Calls `ring` soon after each pull, and at least once after the last."""

    def __init__(self, ring: Callable[[], object], rest: float = REST) -> None:
        self._ring = ring
        self._rest = rest
        self._pulled = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def pull(self) -> None:
        """Have it ring; never waits, never raises."""
        self._pulled.set()
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._pulled.wait()
            self._pulled.clear()
            try:
                self._ring()
            except Exception:
                log.exception("bell_broken")
            time.sleep(self._rest)
