"""How long what is done with is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long rows are kept once they are done with; see docs/operations.md."""

    inbox: timedelta = timedelta(days=7)
    outbox: timedelta = timedelta(days=7)
    written: timedelta = timedelta(days=30)
    audit: timedelta = timedelta(days=730)
    parked: timedelta = timedelta(days=90)
    journeys: timedelta = timedelta(days=730)
