"""Visitors on a website, whose events come in."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from connector.domain.facts import ConnectionId, ProfileId
from connector.domain.journeys import Happened, JourneyEvent
from connector.pipeline.drain import drain
from connector.pipeline.split import split
from connector.store import tables as t
from connector.store.tables_journeys import journey
from connector.stored import Connection, Parcel, Profile
from tests.pipeline.house import ACCOUNT, START, House
from tests.pipeline.visiting_reader import Told, as_event

SITE = ConnectionId("con_site")


class Site:
    """A website whose visitors' events come into a house; `hour` counts from its start."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.numbers = itertools.count(1)
        draft = Connection(SITE, ACCOUNT, "site", "", "", "", "", "active", "", 0)
        with house.store.writing() as unit:
            unit.connect(draft, {"secret": "s"}, None, START)

    def told(self, type_: str, hour: float = 0, **more: Any) -> Told:
        """Make an event; a visitor is told by device_id, user_id, email."""
        when = START + timedelta(hours=hour)
        made = {"key": f"evt_{next(self.numbers):05}", "type": type_}
        return made | {"occurred_at": when.isoformat()} | more

    def keep(self, told: Sequence[Told] | bytes) -> None:
        """Take in a delivery."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.house.store.keep(Parcel("site", (ACCOUNT, SITE), body, self.house.clock.now(), "t"))

    def tell(self, told: Sequence[Told]) -> None:
        """Take in a delivery, no sooner than what it tells of, and work on it."""
        clock = self.house.clock
        dates = [datetime.fromisoformat(one["occurred_at"]) for one in told if "occurred_at" in one]
        clock.time = max([clock.time, *dates])
        clock.pass_()
        self.keep(told)
        self.work()

    def tell_silently(self, told: Sequence[Told]) -> None:
        """Take in what happened as an import does: it sets state and does no more."""
        with self.house.store.writing() as unit:
            connection = unit.connection(SITE)
            events = [one for one in map(as_event, told) if isinstance(one, JourneyEvent)]
            now = self.house.clock.now()
            own = [Happened(0, ProfileId(""), one, now, silent=True) for one in events]
            unit.visits.arrive(connection, own)
        self.work()

    def do(self, type_: str, hour: float = 0, **more: Any) -> None:
        """Have one event come in."""
        self.tell([self.told(type_, hour, **more)])

    def work(self) -> None:
        """Split and drain."""
        split(self.house.services)
        drain(self.house.services, ACCOUNT)

    def found(self, **wanted: str) -> list[Profile]:
        """Find profiles by device_id, user_id or email."""
        with self.house.store.reading() as unit:
            return unit.people.found(ACCOUNT, wanted, "", 10)

    def whose(self, device: str) -> str:
        """Return the profile of a device."""
        (one,) = self.found(device_id=device)
        return str(one.id)

    def slot(self, device: str) -> int:
        """Return the slot of a device's visitor."""
        (one,) = self.found(device_id=device)
        assert one.slot
        return int(one.slot)

    def path(self, device: str) -> list[tuple[int | None, int]]:
        """Return the moves of a device's visitor."""
        return [(move.start, move.goal) for move in self.house.ledger(self.whose(device))]

    def kept(self, **wanted: Any) -> list[Any]:
        """Return the events that are kept."""
        return self.house.rows(journey, **wanted)

    def profiles(self) -> list[Any]:
        """Return the profiles that were joined into no other."""
        return [row for row in self.house.rows(t.profile) if row.merged_into is None]
