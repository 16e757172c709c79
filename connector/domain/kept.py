"""A batch of journey events as it is taken from the store and given back. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from connector.domain.facts import ConnectionId, ProfileId, clock
from connector.domain.identity import Name
from connector.domain.journeys import Alias, Happened, JourneyEvent, Visitor

# How often a profile did what on a day.
Days = dict[tuple[ProfileId, int], Counter[str]]


class Visit(NamedTuple):
    """An event that waits to be worked on.

    `when` is when it counts as having happened, `names` are those that its visitor came by.
    """

    happened: Happened
    connection_id: ConnectionId
    trace: str
    when: datetime
    names: tuple[Alias, ...]

    @classmethod
    def of(cls, happened: Happened, connection_id: ConnectionId, trace: str = "") -> Visit:
        """Return an event with what is asked of it over and over."""
        event = happened.event
        when = clock(event.occurred_at, happened.received_at)
        return cls(happened, connection_id, trace, when, event.aliases)

    @property
    def id(self) -> int:
        """Its number, in the order of arrival."""
        return self.happened.id

    @property
    def event(self) -> JourneyEvent:
        """What happened."""
        return self.happened.event


@dataclass(slots=True)
class Kept:
    """What a batch wants stored: whose its events are, which change or go, what they add up to."""

    whose: dict[int, ProfileId] = field(default_factory=dict)
    edited: list[Happened] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    names: Mapping[Alias, Name] = field(default_factory=dict)
    visitors: dict[ProfileId, Visitor] = field(default_factory=dict)
    days: Days = field(default_factory=dict)
