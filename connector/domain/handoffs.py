"""What is handed to sales, once for each thing that it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from connector.domain.facts import RecordKey

# A reserved field name: a disposition that our own look into the CRM found.
DISPOSED = "@disposition"
# When the clock comes again for what it may not do as long as its switch is off.
WHILE_OFF = timedelta(hours=1)


class Part(StrEnum):
    """One part of a hand-off."""

    STATUS = "status"
    OWNER = "owner"
    DEAL = "deal"
    TASK = "task"
    RECYCLE = "recycle"


@dataclass(frozen=True, slots=True)
class Intent:
    """A part of a hand-off that is to be done once.

    `answers` is when what it answers happened: the entry to MQL, the lead status, bad timing.
    `key` names it for good, in the CRM too; `due_at` is None where the outbox has it already.
    """

    key: str
    record: RecordKey
    part: Part
    answers: datetime
    due_at: datetime | None = None
