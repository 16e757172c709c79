"""Dated facts about a CRM record: what a field held, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, NewType

AccountId = NewType("AccountId", str)
ConnectionId = NewType("ConnectionId", str)
ProfileId = NewType("ProfileId", str)

# The event id of what no event told us, only a read.
READ = "read"
# A sender's clock may run ahead of ours, but not by more than this.
TOLERANCE = timedelta(minutes=5)
# What is older than this when we learn of it sets state, and nothing off.
LATEST = timedelta(hours=48)


class RecordKey(NamedTuple):
    """Names one record of one CRM; records are keyed on CRM ids, never on e-mail."""

    connection_id: ConnectionId
    object: str
    record_id: str


class Stamp(NamedTuple):
    """A field's clock: later stamps win, ties go by event id, then value."""

    when: datetime
    event_id: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One field of one record held `value` from `when` on.

    `ours` marks what we wrote ourselves. `version` is the mapping it was learned under.
    """

    record: RecordKey
    field: str
    value: str
    when: datetime
    event_id: str
    version: int = 1
    ours: bool = False
    silent: bool = False

    @property
    def stamp(self) -> Stamp:
        """The place of this fact in its field's order of time."""
        return Stamp(self.when, self.event_id, self.value)


@dataclass(frozen=True, slots=True)
class Link:
    """Two records are tied together (or not) from `when` on: a deal and a contact, say."""

    start: RecordKey
    goal: RecordKey
    present: bool
    when: datetime
    event_id: str
    silent: bool = False

    @property
    def is_missed(self) -> bool:
        """Say whether a read found the tie no longer: perhaps only because one end is gone."""
        return not self.present and self.event_id == READ

    @property
    def stamp(self) -> Stamp:
        """The place of this link in order of time."""
        return Stamp(self.when, self.event_id, "on" if self.present else "")


def clock(occurred_at: datetime, received_at: datetime) -> datetime:
    """Return when something counts as having happened: never far in our future."""
    return min(occurred_at, received_at + TOLERANCE)


def is_fresh(when: datetime, now: datetime) -> bool:
    """Say whether what happened then may still set anything off."""
    return now - when <= LATEST
