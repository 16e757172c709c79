"""How many are where, and what waits."""

from datetime import datetime

from connector.api.connections import ConnectionAnswer, listed
from connector.api.routes import Call, Route, sliced
from connector.api.words import Answer, ListQuery, Nothing, Page
from connector.store.inbox import Backlog


class FunnelRow(Answer):
    """One slot and how many profiles are in it."""

    slot: int
    label: str
    profiles: int


class Funnel(Page[FunnelRow]):
    """All ten slots."""


class InboxStatus(Answer):
    """What came in and is not done."""

    pending: int
    parked: int
    oldest_pending_seconds: float | None


class OutboxStatus(InboxStatus):
    """What goes out and is not sent."""

    held: int


class Status(Answer):
    """What waits, and how the connections are."""

    inbox: InboxStatus
    outbox: OutboxStatus
    connections: list[ConnectionAnswer]


def get_funnel(call: Call[ListQuery, Nothing]) -> Funnel:
    """Count the profiles in each slot."""
    with call.services.store.reading() as unit:
        counts = unit.people.funnel(call.account.id)
    labels = sorted(call.account.pipeline.labels.items())
    rows = [
        FunnelRow(slot=slot.value, label=label, profiles=counts.get(slot.value, 0))
        for slot, label in labels
    ]
    page, after = sliced(rows, call.query)
    return Funnel(items=page, next_cursor=after)


def get_status(call: Call[Nothing, Nothing]) -> Status:
    """Say what waits, what is stuck, and how the connections are."""
    own, now = call.account.id, call.services.now()
    with call.services.store.reading() as unit:
        came, goes = unit.inbox_backlog(own), unit.outbox_backlog(own)
        connections = listed(unit, own)
    return Status(
        inbox=InboxStatus(
            pending=came.pending, parked=came.parked, oldest_pending_seconds=age(came, now)
        ),
        outbox=OutboxStatus(
            pending=goes.pending,
            parked=goes.parked,
            held=goes.held,
            oldest_pending_seconds=age(goes, now),
        ),
        connections=connections,
    )


def age(backlog: Backlog, now: datetime) -> float | None:
    """Return for how many seconds the oldest row has waited, None where none does."""
    return None if backlog.since is None else max(0.0, (now - backlog.since).total_seconds())


ROUTES = (
    Route("GET", "/reports/funnel", "Count profiles by slot", get_funnel, Funnel, ListQuery),
    Route("GET", "/status", "See what waits and what is stuck", get_status, Status),
)
