"""Queries on journeys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, select

from connector.domain.facts import AccountId, ProfileId
from connector.domain.journeys import Happened, JourneyEvent, Known, Visitor
from connector.store.sql import slices, within
from connector.store.tables_journeys import journey, visitor

# The parts of an event that are kept as one document; the rest have columns of their own.
PARTS = (
    *("device_id", "user_id", "email", "known", "lead_stage", "title", "form_name"),
    *("origin", "person", "client", "engagement", "more"),
)


class Journeys:
    """Queries on what visitors did."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def of(
        self, account_id: AccountId, profiles: Collection[ProfileId], since: datetime | None = None
    ) -> Mapping[ProfileId, list[Happened]]:
        """Return profiles' events that happened since then, in order of time."""
        found: dict[ProfileId, list[Happened]] = defaultdict(list)
        own = journey.c
        for ids in slices(profiles):
            query = select(journey).where(own.account_id == account_id, own.profile_id.in_(ids))
            if since is not None:
                query = query.where(own.occurred_at >= since)
            for row in self.tx.execute(query.order_by(own.occurred_at, own.id)).all():
                found[ProfileId(row.profile_id)].append(as_happened(row))
        return found

    def visitors(
        self, account_id: AccountId, profiles: Collection[ProfileId]
    ) -> dict[ProfileId, Visitor]:
        """Return what is known of profiles that have a journey."""
        found = {}
        for ids in slices(profiles):
            query = select(visitor).where(
                within(visitor, account_id), visitor.c.profile_id.in_(ids)
            )
            for row in self.tx.execute(query).all():
                found[ProfileId(row.profile_id)] = as_visitor(row)
        return found


def event_row(event: JourneyEvent) -> dict[str, Any]:
    """Return an event's columns, without whose it is and when it came."""
    data = {name: getattr(event, name) for name in PARTS}
    return {
        "key": event.key,
        "type": event.type,
        "code": event.code,
        "url": event.url,
        "form": event.form_id,
        "data": {name: value for name, value in data.items() if value},
        "occurred_at": event.occurred_at,
    }


def as_happened(row: Row[Any]) -> Happened:
    """Return an event's row as a value."""
    data = dict(row.data)
    known = Known(data.pop("known", Known.ANONYMOUS))
    event = JourneyEvent(
        row.key,
        row.type,
        row.occurred_at,
        code=row.code,
        url=row.url,
        form_id=row.form,
        known=known,
        **data,
    )
    profile_id = ProfileId(row.profile_id or "")
    return Happened(row.id, profile_id, event, row.received_at, row.silent)


def as_visitor(row: Row[Any]) -> Visitor:
    """Return a visitor's row as a value."""
    return Visitor(
        ProfileId(row.profile_id),
        Known(row.known),
        row.origin,
        row.person,
        row.first_at,
        row.last_at,
        row.identified_at,
        row.verified_at,
        row.reward_at,
        row.origin_at,
    )
