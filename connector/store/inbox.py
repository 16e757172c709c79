"""The inbox: deliveries as they came, and the events that they were split into."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, Table, func, or_, select, text, update

from connector.domain.facts import AccountId, ConnectionId
from connector.ports import Event, Happening
from connector.store import tables as t
from connector.store.sql import Adding, add, slices
from connector.store.tables_journeys import PARKED, WAITS
from connector.stored import Arrival, Delivery, Parcel, State

SMALL = 8192  # bytes; a CRM fills its requests while an import lasts, to a hundred events
_PIECE = 2047  # bytes
OLDEST = 5  # one in so many of the deliveries that are split next is there by its age


@cache
def adding(dialect: str) -> Adding:
    """Return how deliveries are kept, made once; the same bytes again are one delivery."""
    return Adding(t.delivery, list(delivery_row(_NOTHING)), dialect)


_NOTHING = Parcel("", None, b"", datetime.min.replace(tzinfo=UTC))


def delivery_row(parcel: Parcel) -> dict[str, Any]:
    """Return the row of a delivery."""
    account_id, connection_id = parcel.owner or (None, "")
    return {
        "account_id": account_id,
        "connection_id": connection_id,
        "system": parcel.system,
        "digest": _digest(parcel.body),
        "body": parcel.body,
        "trace": parcel.trace,
        "received_at": parcel.received_at,
    }


def _digest(body: bytes) -> str:
    """Return a body's SHA-256, a piece at a time.

    hashlib lets go of Python's lock for 2,048 bytes and more; getting it back costs more than the
    hash (docs.python.org, "hashlib").
    """
    found, view = hashlib.sha256(), memoryview(body)
    for start in range(0, len(view), _PIECE):
        found.update(view[start : start + _PIECE])
    return found.hexdigest()


def waiting_deliveries(tx: Connection, most: int) -> list[Delivery]:
    """Return deliveries to split: small ones first, as people's edits make them.

    The oldest are always among them, so that none waits for ever.
    """
    query = select(t.delivery).where(t.delivery.c.state == State.PENDING).order_by(t.delivery.c.id)
    oldest = tx.execute(query.limit(max(most // OLDEST, 1))).all()
    small = tx.execute(query.where(func.length(t.delivery.c.body) < SMALL).limit(most)).all()
    rows = {row.id: row for row in [*small[: most - len(oldest)], *oldest]}
    return [
        Delivery(
            row.id,
            row.account_id,
            row.connection_id or None,
            row.system,
            row.body or b"",
            row.received_at,
            row.trace,
            row.silent,
        )
        for row in rows.values()
    ]


def close_delivery(tx: Connection, delivery_id: int, reason: str = "") -> None:
    """Delete a split delivery's body, or park one that can't be read with its reason."""
    values: dict[str, Any] = {"state": State.DONE, "body": None}
    if reason:
        values = {"state": State.PARKED, "reason": reason}
    tx.execute(update(t.delivery).where(t.delivery.c.id == delivery_id).values(**values))


def add_events(tx: Connection, account_id: AccountId, arrivals: Sequence[Arrival]) -> None:
    """Keep events; those seen before are left as they are."""
    add(tx, t.event, [_event_row(account_id, arrival) for arrival in arrivals])


def park_part(
    tx: Connection,
    account_id: AccountId,
    connection_id: ConnectionId,
    part: tuple[str, str, str],
    now: datetime,
) -> None:
    """Park a part of a delivery (key, raw text, reason) that could not be read."""
    key, raw, reason = part
    row = {
        "account_id": account_id,
        "connection_id": connection_id,
        "key": key,
        "state": State.PARKED,
        "reason": reason,
        "data": {"raw": raw},
        "occurred_at": now,
        "received_at": now,
    }
    add(tx, t.event, [row])


def parked_parts(tx: Connection, account_id: AccountId, after: int, most: int) -> list[Row[Any]]:
    """Return parked parts that could not be read, and so belong to no record, by id."""
    own = t.event.c
    query = select(own.id, own.connection_id, own.data).where(
        own.account_id == account_id,
        own.state == State.PARKED,
        own.object == "",
        own.record_id == "",
        own.happening == "",
        own.id > after,
    )
    return list(tx.execute(query.order_by(own.id).limit(most)))


def _event_row(account_id: AccountId, arrival: Arrival) -> dict[str, Any]:
    event = arrival.event
    return {
        "account_id": account_id,
        "connection_id": arrival.connection_id,
        "key": event.key,
        "lane": arrival.lane,
        "happening": event.happening,
        "object": event.object,
        "record_id": event.record_id,
        "event_id": event.event_id,
        "data": dict(event.data),
        "origin": event.origin,
        "origin_id": event.origin_id,
        "silent": arrival.silent,
        "trace": arrival.trace,
        "occurred_at": event.occurred_at,
        "received_at": arrival.received_at,
    }


def as_arrival(row: Row[Any]) -> Arrival:
    """Return an event's row as a value."""
    event = Event(
        row.key,
        Happening(row.happening),
        "",
        row.object,
        row.record_id,
        row.occurred_at,
        row.event_id,
        row.data,
        row.origin,
        row.origin_id,
    )
    return Arrival(
        row.id,
        ConnectionId(row.connection_id),
        event,
        row.received_at,
        row.lane,
        row.silent,
        row.trace,
    )


def waiting_events(tx: Connection, account_id: AccountId, most: int) -> list[Arrival]:
    """Return the events to work on next: people before bulk, then in order of arrival."""
    query = (
        select(t.event)
        .where(t.event.c.account_id == account_id, t.event.c.state == State.PENDING)
        .order_by(t.event.c.lane, t.event.c.id)
        .limit(most)
    )
    return [as_arrival(row) for row in tx.execute(query)]


def park_event(tx: Connection, event_id: int, reason: str) -> None:
    """Put an event aside with its reason; the rest flows."""
    tx.execute(
        update(t.event).where(t.event.c.id == event_id).values(state=State.PARKED, reason=reason)
    )


def recent_of(
    tx: Connection,
    connection_id: ConnectionId,
    source: tuple[str, str],
    now: datetime,
    most: int,
) -> int:
    """Count what one source made in the last minute, up to `most`: a look into one index.

    Never asked for the newest rows of all sources: where the last minute was quiet, that reads
    back through everything that is kept.
    """
    own = t.event.c
    recent = (
        select(own.received_at)
        .where(
            own.connection_id == connection_id,
            own.origin == source[0],
            own.origin_id == source[1],
            own.received_at > now - timedelta(minutes=1),
        )
        .limit(most)
    )
    return int(tx.execute(select(func.count()).select_from(recent.subquery())).scalar_one())


def replay(tx: Connection, account_id: AccountId | None, event_ids: Sequence[int]) -> int:
    """Put parked events back in line, without the power to move more than state."""
    count = 0
    for ids in slices(event_ids):
        again = update(t.event).where(t.event.c.id.in_(ids), t.event.c.state == State.PARKED)
        if account_id is not None:
            again = again.where(t.event.c.account_id == account_id)
        values = {"state": State.PENDING, "reason": "", "silent": True, "lane": 2}
        count += tx.execute(again.where(t.event.c.happening != "").values(**values)).rowcount
    return count


def parked_deliveries(tx: Connection, account_id: AccountId | None, words: str) -> list[int]:
    """Return the parked deliveries that may be split again, now that a portal is connected, say."""
    own = t.delivery.c
    query = select(own.id).where(own.state == State.PARKED, own.body.is_not(None))
    if account_id is not None:
        query = query.where(own.account_id == account_id)
    if words:
        query = query.where(own.reason.icontains(words, autoescape=True))
    return list(tx.execute(query.order_by(own.id)).scalars())


def split_again(tx: Connection, delivery_ids: Sequence[int]) -> int:
    """Put parked deliveries back in line; what is in them sets state and does no more."""
    count = 0
    for ids in slices(delivery_ids):
        again = update(t.delivery).where(t.delivery.c.id.in_(ids))
        values = {"state": State.PENDING, "reason": "", "silent": True}
        count += tx.execute(again.values(**values)).rowcount
    return count


def unread(tx: Connection, connection_id: str) -> int:
    """Count a connection's deliveries, and parts of them, that were parked unread."""
    parts = (t.event.c.connection_id == connection_id, t.event.c.happening == "")
    wholes = (t.delivery.c.connection_id == connection_id,)
    count = 0
    for table, own in ((t.event, parts), (t.delivery, wholes)):
        query = select(func.count()).select_from(table).where(table.c.state == State.PARKED, *own)
        count += int(tx.execute(query).scalar_one())
    return count


def list_events(
    tx: Connection, account_id: AccountId, state: str, after: int, most: int
) -> list[Row[Any]]:
    """Return events in a state, by id, from behind `after`."""
    query = (
        select(t.event)
        .where(t.event.c.account_id == account_id, t.event.c.state == state, t.event.c.id > after)
        .order_by(t.event.c.id)
        .limit(most)
    )
    return list(tx.execute(query))


class Backlog(NamedTuple):
    """What has not come through: how many rows, and since when the oldest of them waits."""

    pending: int
    parked: int
    held: int
    since: datetime | None


def backlog(tx: Connection, account_id: AccountId | None) -> Backlog:
    """Count deliveries and events that wait or were put aside; of all accounts where None."""
    tables = (t.delivery, t.event)
    visits, since, aside = _journeys(tx, account_id)
    pending = visits + sum(count(tx, table, State.PENDING, account_id) for table in tables)
    parked = aside + sum(count(tx, table, State.PARKED, account_id) for table in tables)
    oldest = [
        tx.execute(
            _within(select(func.min(table.c.received_at)), table, State.PENDING, account_id)
        ).scalar()
        for table in tables
    ]
    return Backlog(pending, parked, 0, min((one for one in [*oldest, since] if one), default=None))


def _journeys(tx: Connection, account_id: AccountId | None) -> tuple[int, datetime | None, int]:
    """Count the events of visitors that wait, since when, and those that were put aside."""
    own = t.journey.c
    where = [own.account_id == account_id] if account_id is not None else []
    waiting = select(func.count(), func.min(own.received_at)).where(text(WAITS), *where)
    aside = select(func.count()).select_from(t.journey).where(text(PARKED), *where)
    number, since = tx.execute(waiting).one()
    return number, since, tx.execute(aside).scalar_one()


def count(tx: Connection, table: Table, state: State, account_id: AccountId | None) -> int:
    """Count the rows of a table in a state."""
    query = select(func.count()).select_from(table)
    return int(tx.execute(_within(query, table, state, account_id)).scalar_one())


def _within(
    query: Select[Any], table: Table, state: State, account_id: AccountId | None
) -> Select[Any]:
    found = query.where(table.c.state == state)
    return found if account_id is None else found.where(table.c.account_id == account_id)


def parked_bodies(tx: Connection, owner: tuple[str, str], after: int, most: int) -> list[Row[Any]]:
    """Return parked deliveries of an account, or (system) of nobody yet, from behind `after`."""
    account_id, system = owner
    own = t.delivery.c
    nobody_s = own.account_id.is_(None) & (own.system == system)
    query = (
        select(own.id, own.account_id, own.connection_id, own.body)
        .where(own.state == State.PARKED, own.body.is_not(None), own.id > after)
        .where(or_(own.account_id == account_id, nobody_s))
        .order_by(own.id)
        .limit(most)
    )
    return list(tx.execute(query))


def empty(tx: Connection, delivery_ids: Sequence[int]) -> None:
    """Delete the bodies of deliveries that are parked; their hashes stay."""
    for ids in slices(delivery_ids):
        own = (t.delivery.c.id.in_(ids), t.delivery.c.state == State.PARKED)
        values = {"body": None, "reason": "its body named an erased person"}
        tx.execute(update(t.delivery).where(*own).values(**values))


def list_deliveries(
    tx: Connection, account_id: AccountId, state: str, after: int, most: int
) -> list[Row[Any]]:
    """Return deliveries in a state, by id, from behind `after`."""
    own = t.delivery.c
    query = (
        select(t.delivery)
        .where(own.account_id == account_id, own.state == state, own.id > after)
        .order_by(own.id)
        .limit(most)
    )
    return list(tx.execute(query))


def parked(tx: Connection, account_id: AccountId | None, words: str) -> list[int]:
    """Return the parked events that can be worked on again; `words`: of a reason or a record."""
    own = t.event.c
    query = select(own.id).where(own.state == State.PARKED, own.happening != "")
    if account_id is not None:
        query = query.where(own.account_id == account_id)
    if words:
        names = own.reason.icontains(words, autoescape=True)
        query = query.where(or_(names, own.record_id == words))
    return list(tx.execute(query.order_by(own.id)).scalars())


def probe(tx: Connection) -> None:
    """Prove that a delivery could be kept now; nothing of it stays."""
    row = {"system": "probe", "digest": "", "received_at": datetime.fromtimestamp(0, UTC)}
    with tx.begin_nested() as nested:
        tx.execute(t.delivery.insert().values(**row))
        nested.rollback()
