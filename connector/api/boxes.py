"""The inbox and the outbox as operators see them: what came, what goes, what is stuck."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from connector.api.routes import Call, Route, cut, number
from connector.api.words import Answer, Body, ListQuery, Nothing, Page
from connector.pipeline import operating

MOST_IDS = 10_000
# In the order of a listing: a cursor among events or journeys begins with their mark.
_MARKS = {"delivery": "", "event": "e", "journey": "j"}


class InboxItem(Answer):
    """A delivery as it came, or an event that one was split into: a CRM's, or in a journey.

    Contents are not shown.
    """

    id: int
    kind: Literal["delivery", "event", "journey"]
    connection_id: str | None
    state: str
    reason: str
    happening: str | None
    object: str | None
    record_id: str | None
    occurred_at: datetime | None
    received_at: datetime


class Inbox(Page[InboxItem]):
    """A page of the inbox, oldest first."""


class OutboxItem(Answer):
    """A write to a CRM record."""

    id: int
    record_id: str
    object: str
    connection_id: str
    profile_id: str | None
    purpose: str
    fields: dict[str, str]
    state: str
    reason: str
    attempts: int
    hold_id: str | None
    due_at: datetime
    created_at: datetime


class Outbox(Page[OutboxItem]):
    """A page of the outbox, oldest first."""


class InboxQuery(ListQuery):
    """Which rows of the inbox."""

    state: Literal["pending", "done", "parked"] = "pending"


class OutboxQuery(ListQuery):
    """Which rows of the outbox."""

    state: Literal["pending", "sent", "parked", "held", "dropped"] = "pending"


RowId = Annotated[int, Field(strict=True, ge=1, lt=2**63)]


class ReplayBody(Body):
    """Which parked rows go back in line: all, or those with these ids."""

    what: Literal["inbox", "outbox"] = "outbox"
    ids: Annotated[list[RowId], Field(max_length=MOST_IDS)] | None = None
    dry_run: bool = False


class Replayed(Answer):
    """How many rows went back in line, or would."""

    what: str
    rows: int
    dry_run: bool


def list_inbox(call: Call[InboxQuery, Nothing]) -> Inbox:
    """Return what came in: deliveries, the events that others were split into, journeys."""
    query = call.query
    began = next((mark for mark in _MARKS.values() if mark and query.cursor.startswith(mark)), "")
    after = number(query.cursor.removeprefix(began))
    rows: list[InboxItem] = []
    with call.services.store.reading() as unit:
        shelves = (
            (unit.listed_deliveries, _delivery),
            (unit.listed_events, _event),
            (unit.visits.listed, _journey),
        )
        for mark, (listed, shown) in zip(_MARKS.values(), shelves, strict=True):
            missing = query.limit + 1 - len(rows)
            past = list(_MARKS.values()).index(mark) < list(_MARKS.values()).index(began)
            if past or not missing or (query.state == "done" and not mark):
                continue
            start = after if mark == began else 0
            found = listed(call.account.id, query.state, start, missing)
            rows += [shown(row) for row in found]
    page, last = cut(rows, query.limit, lambda item: f"{_MARKS[item.kind]}{item.id}")
    return Inbox(items=page, next_cursor=last)


def _delivery(row: Any) -> InboxItem:
    return InboxItem(
        id=row.id,
        kind="delivery",
        connection_id=row.connection_id or None,
        state=row.state,
        reason=row.reason,
        happening=None,
        object=None,
        record_id=None,
        occurred_at=None,
        received_at=row.received_at,
    )


def _event(row: Any) -> InboxItem:
    return InboxItem(
        id=row.id,
        kind="event",
        connection_id=row.connection_id,
        state=row.state,
        reason=row.reason,
        happening=row.happening or None,
        object=row.object or None,
        record_id=row.record_id or None,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
    )


def _journey(row: Any) -> InboxItem:
    return InboxItem(
        id=row.id,
        kind="journey",
        connection_id=row.connection_id,
        state="parked" if row.reason else "done" if row.profile_id else "pending",
        reason=row.reason,
        happening=row.type,
        object=None,
        record_id=None,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
    )


def list_outbox(call: Call[OutboxQuery, Nothing]) -> Outbox:
    """Return what goes out; pending counts what is being sent right now too."""
    query = call.query
    with call.services.store.reading() as unit:
        rows = unit.listed_writes(
            call.account.id, query.state, number(query.cursor), query.limit + 1
        )
    page, last = cut(rows, query.limit, lambda row: row.id)
    return Outbox(items=[_write(row) for row in page], next_cursor=last)


def _write(row: Any) -> OutboxItem:
    return OutboxItem(**{name: getattr(row, name) for name in OutboxItem.model_fields})


def replay(call: Call[Nothing, ReplayBody]) -> Replayed:
    """Put parked rows back in line; what is no longer wanted is dropped as it goes."""
    body = call.body
    rows = operating.replay(
        call.services,
        call.account.id,
        body.what,
        operating.Choice(body.ids),
        dry_run=body.dry_run,
    )
    return Replayed(what=body.what, rows=rows, dry_run=body.dry_run)


ROUTES = (
    Route("GET", "/inbox", "List what came in", list_inbox, Inbox, InboxQuery),
    Route("GET", "/outbox", "List what goes out", list_outbox, Outbox, OutboxQuery),
    Route("POST", "/replay", "Put parked rows back in line", replay, Replayed, body=ReplayBody),
)
