"""When the product had worked off what it had acknowledged by some time, as its own inbox tells.

A busy machine lags by half a minute: what is right to write depends on what was known by then.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak.installation import Installation

LOOK_EVERY = 0.5
ALWAYS, NEVER = 0, 1 << 62
# Deliveries first: what is split meanwhile shows among the events.
SHELVES = ("", "e0")


class Backlog:
    """Looks into the inbox again and again; `looks` are (when, since when the oldest waits), ms."""

    def __init__(self, own: Installation, over: threading.Event) -> None:
        self.own = own
        self.over = over
        self.looks: list[tuple[int, int]] = []

    def start(self) -> None:
        """Begin to look, until the campaign is over."""
        threading.Thread(target=self._look, name="backlog", daemon=True).start()

    def worked_off(self, heard: int) -> int:
        """Return when all that was acknowledged by a time was worked off; times in ms."""
        after = (at for at, oldest in self.looks if at >= heard and oldest > heard)
        return next(after, NEVER)

    def _look(self) -> None:
        while not self.over.wait(LOOK_EVERY):
            now = int(time.time() * 1000)
            self.looks.append((now, min(self._oldest(cursor) for cursor in SHELVES)))

    def _oldest(self, cursor: str) -> int:
        """Return since when the oldest behind a cursor waits: always, where nobody answers."""
        query = {"state": "pending", "limit": "1", "cursor": cursor}
        reply = self.own.ask("GET", "inbox", query=query, timeout=2)
        if reply is None or not reply.ok:
            return ALWAYS
        return min((_ms(row["received_at"]) for row in reply.json()["items"]), default=NEVER)


def _ms(told: str) -> int:
    return int(datetime.fromisoformat(told).timestamp() * 1000)
