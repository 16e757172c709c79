"""Entries to MQL, and what sales made of each: what the feedback to marketing is counted from."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from connector.domain.facts import ProfileId
from connector.domain.slots import Funnel, Slot, rank
from connector.domain.steps import Move


@dataclass(frozen=True, slots=True)
class Entry:
    """A move to MQL as it was then, and what came of it until the next one.

    `rule` names the rule that made it, or else who did. `owner` is the record's at the time, or
    the first that it was given after; `score` the profile's when we learned of the entry.
    """

    profile_id: ProfileId
    step_key: str
    occurred_at: datetime
    rule: str
    owner: str = ""
    score: int | None = None
    accepted_at: datetime | None = None
    sql_at: datetime | None = None
    touched_at: datetime | None = None
    dispositions: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, datetime]:
        """What names the entry within its profile."""
        return self.step_key, self.occurred_at


class Stay(NamedTuple):
    """An entry to MQL, the moves from there on, and when the next entry ended it."""

    move: Move
    after: list[Move]
    end: datetime | None = None


def stays(moves: Iterable[Move], entries: Collection[Move]) -> list[Stay]:
    """Return the entries to MQL among some moves, oldest first."""
    found: list[Stay] = []
    for move in moves:
        if move in entries:
            found[-1:] = [one._replace(end=move.when) for one in found[-1:]]
            found.append(Stay(move, []))
        elif found:
            found[-1].after.append(move)
    return found


def reached(moves: Iterable[Move], slot: Slot, funnel: Funnel) -> datetime | None:
    """Return when the first of some moves led to a slot or further down the funnel."""
    least = rank(funnel, slot)
    return next((m.when for m in moves if m.goal in funnel and rank(funnel, m.goal) >= least), None)
