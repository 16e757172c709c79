"""How many are where, and what waits."""

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from pydantic import Field

from connector.api.connections import ConnectionAnswer, listed
from connector.api.routes import Call, Route, sliced
from connector.api.words import Answer, ListQuery, Nothing, Page, Word
from connector.mapping.table import Disposition
from connector.pipeline.reporting import feedback, span
from connector.store.inbox import Backlog


class FunnelRow(Answer):
    """One slot and how many profiles are in it."""

    slot: int
    label: str
    profiles: int


class Funnel(Page[FunnelRow]):
    """All ten slots."""


class FeedbackRow(Answer):
    """What sales did with the leads of one key that became MQLs, with the counts behind each rate.

    `touched` is how many the median is of. A disposition counts once for each lead given it.
    """

    key: str
    mql: int
    accepted: int
    sql: int
    touched: int
    dispositions: dict[str, int]
    median_hours_to_first_touch: float | None
    mql_to_sql: float


FUNNEL_COLUMNS = tuple(FunnelRow.model_fields)
FEEDBACK_COLUMNS = tuple(
    column
    for name in FeedbackRow.model_fields
    for column in (tuple(Disposition) if name == "dispositions" else (name,))
)


class FeedbackPage(Page[FeedbackRow]):
    """A page of feedback, the keys with the most leads first."""


class FeedbackQuery(ListQuery):
    """What to count by, and the entries from when (inclusive) to when: a day counts whole."""

    by: Literal["source", "campaign", "rule", "owner", "score"] = "source"
    since: Word = Field(default="", alias="from")
    until: Word = Field(default="", alias="to")


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
    page, after = sliced(whole_funnel(call), call.query)
    return Funnel(items=page, next_cursor=after)


def whole_funnel(call: Call[ListQuery, Nothing]) -> list[FunnelRow]:
    """Return all ten slots with their profiles."""
    with call.services.store.reading() as unit:
        counts = unit.people.funnel(call.account.id)
    labels = sorted(call.account.pipeline.labels.items())
    return [
        FunnelRow(slot=slot.value, label=label, profiles=counts.get(slot.value, 0))
        for slot, label in labels
    ]


def get_feedback(call: Call[FeedbackQuery, Nothing]) -> FeedbackPage:
    """Count what sales did with the leads that marketing gave it."""
    page, after = sliced(all_feedback(call), call.query)
    return FeedbackPage(items=page, next_cursor=after)


def all_feedback(call: Call[FeedbackQuery, Nothing]) -> list[FeedbackRow]:
    """Return every row of the feedback."""
    since, until = span(call.query.since, call.query.until)
    found = feedback(call.services, call.account.id, call.query.by, since, until)
    return [FeedbackRow(**asdict(row)) for row in found]


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
    Route(
        "GET",
        "/reports/funnel",
        "Count profiles by slot",
        get_funnel,
        Funnel,
        ListQuery,
        sheet=whole_funnel,
        columns=FUNNEL_COLUMNS,
    ),
    Route(
        "GET",
        "/reports/feedback",
        "See what sales did with the leads it was given",
        get_feedback,
        FeedbackPage,
        FeedbackQuery,
        sheet=all_feedback,
        columns=FEEDBACK_COLUMNS,
    ),
    Route("GET", "/status", "See what waits and what is stuck", get_status, Status),
)
