"""The outbox: what waits to be written to a CRM, and what became of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Exists,
    Row,
    Update,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from connector.domain.facts import AccountId, ConnectionId, RecordKey
from connector.domain.slots import Slot
from connector.store import tables as t
from connector.store.inbox import Backlog, count
from connector.store.pushed import doubt
from connector.store.records import of_record
from connector.store.rows import as_pending, as_record, as_writing
from connector.store.sql import add, run, slices
from connector.stored import BULK, Claim, Pending, Purpose, Record, State, Writing


def claim(
    tx: Connection, connection_id: ConnectionId, now: datetime, wanted: Claim
) -> list[Pending]:
    """Take the writes to send next, all of one object and purpose: people before bulk.

    Bulk that has not lingered long enough goes along where a call goes anyway: none that is less
    than full follows it a moment later.
    """
    own = t.outbox.c
    waiting = (own.connection_id == connection_id, own.state == State.PENDING)
    order = (own.lane, own.id)
    due = (*waiting, own.due_at <= now, own.lane <= wanted.lane)
    first = tx.execute(select(t.outbox).where(*due).order_by(*order).limit(1)).first()
    if first is None:
        return []
    ready = or_(own.due_at <= now, and_(own.lane == BULK, own.attempts == 0))
    alike = (own.object == first.object, own.purpose == first.purpose, ready)
    chosen = select(t.outbox).where(*waiting, *alike).order_by(*order).limit(wanted.most)
    rows = tx.execute(chosen).all()
    ids = [row.id for row in rows]
    taken = update(t.outbox).where(t.outbox.c.id.in_(ids))
    tx.execute(taken.values(state=State.SENDING, token=wanted.token))
    return [replace(as_pending(row), state=State.SENDING) for row in rows]


def recover(tx: Connection, connection_id: ConnectionId, token: int, now: datetime) -> int:
    """Take back what an earlier holder of the lease was sending: nobody knows whether it did.

    What the CRM holds of our own fields is unknown then, so they are all sent again.
    """
    lost = (
        t.outbox.c.connection_id == connection_id,
        t.outbox.c.state == State.SENDING,
        t.outbox.c.token != token,
    )
    rows = tx.execute(select(t.outbox).where(*lost)).all()
    doubt(tx, [RecordKey(connection_id, row.object, row.record_id) for row in rows], now)
    tx.execute(update(t.outbox).where(*lost).values(state=State.PENDING))
    return len(rows)


def settle(tx: Connection, rows: Sequence[Pending], now: datetime) -> None:
    """Store what became of writes; a pending one that was replaced meanwhile is merged away.

    Only our own fields are worked out as they go; what else was to be written stands, an owner
    whose turn was taken since the write was claimed too.
    """
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        values = _settled(row, now)
        told = {f"new_{name}": value for name, value in values.items()}
        alike[tuple(values)].append({"row": row.id, "was": State.SENDING} | told)
    for names, some in alike.items():
        run(tx, _settling(names), some)


def _settled(row: Pending, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": row.state,
        "reason": row.reason,
        "attempts": row.attempts,
        "due_at": row.due_at or now,
    }
    if row.purpose is Purpose.OWN:
        values["fields"] = dict(row.fields)
    if row.state is State.SENT:
        values["sent_at"] = now
    return values


@cache
def _settling(names: tuple[str, ...]) -> Update:
    own = (t.outbox.c.id == bindparam("row"), t.outbox.c.state == bindparam("was"))
    return update(t.outbox).where(*own).values({name: bindparam(f"new_{name}") for name in names})


def ask(tx: Connection, keys: Sequence[RecordKey], at: datetime | None, lane: int) -> None:
    """Have records read at a time, or (None) no more."""
    for key in keys:
        own = of_record(t.record, key)
        tx.execute(update(t.record).where(*own).values(ask_at=at, ask_lane=lane))


def asked(
    tx: Connection, connection_id: ConnectionId, now: datetime, most: int, lane: int = BULK
) -> list[Record]:
    """Return the records to read next, all of one object: people before bulk.

    Nobody asks about a person in slot 10 any more.
    """
    due = (
        t.record.c.connection_id == connection_id,
        t.record.c.ask_at <= now,
        t.record.c.ask_lane <= lane,
    )
    person = t.profile.c
    hushed = exists().where(
        person.id == t.record.c.profile_id, person.slot + 0 == Slot.DO_NOT_CONTACT
    )
    tx.execute(update(t.record).where(*due, hushed).values(ask_at=None))
    order = (t.record.c.ask_lane, t.record.c.ask_at)
    first = tx.execute(select(t.record).where(*due).order_by(*order).limit(1)).first()
    if first is None:
        return []
    query = select(t.record).where(*due, t.record.c.object == first.object)
    return [as_record(row) for row in tx.execute(query.order_by(*order).limit(most))]


def intend(tx: Connection, account_id: AccountId, writings: Sequence[Writing]) -> None:
    """Enter writes into the write ledger before they are sent."""
    add(tx, t.written, [_writing(account_id, writing) for writing in writings])


def written(tx: Connection, writing: Writing, at: datetime) -> None:
    """Date a write by the CRM's own clock once it is done."""
    own = (
        *of_record(t.written, writing.record),
        t.written.c.field == writing.field,
        t.written.c.value == writing.value,
        t.written.c.intent_at == writing.intent_at,
    )
    tx.execute(update(t.written).where(*own).values(written_at=at))


def last_written(tx: Connection, key: RecordKey, field: str) -> Writing | None:
    """Return our newest write of a field."""
    query = (
        select(t.written)
        .where(*of_record(t.written, key), t.written.c.field == field)
        .order_by(t.written.c.id.desc())
        .limit(1)
    )
    row = tx.execute(query).first()
    return as_writing(row) if row else None


def counted(
    tx: Connection, account_id: AccountId, causes: Sequence[str], since: datetime
) -> dict[str, int]:
    """Count what each cause has written, or wants to write, since then; not what was released."""
    found: Counter[str] = Counter()
    for some in slices(causes):
        query = (
            select(t.outbox.c.cause, func.count())
            .where(
                t.outbox.c.account_id == account_id,
                t.outbox.c.cause.in_(some),
                t.outbox.c.created_at >= since,
                or_(t.outbox.c.hold_id.is_(None), t.outbox.c.state == State.HELD),
                ~_released_since(account_id),
            )
            .group_by(t.outbox.c.cause)
        )
        found.update({row[0]: row[1] for row in tx.execute(query)})
    return dict(found)


def _released_since(account_id: AccountId) -> Exists:
    """Match writes that a person has let go since: the brake begins to count anew."""
    return exists().where(
        t.hold.c.account_id == account_id,
        t.hold.c.cause == t.outbox.c.cause,
        t.hold.c.released_at >= t.outbox.c.created_at,
    )


def open_holds(tx: Connection, account_id: AccountId) -> dict[str, str]:
    """Return the open holds by cause."""
    query = select(t.hold.c.cause, t.hold.c.id).where(
        t.hold.c.account_id == account_id, t.hold.c.released_at.is_(None)
    )
    return {row.cause: row.id for row in tx.execute(query)}


def holds(tx: Connection, account_id: AccountId | None) -> list[dict[str, Any]]:
    """List open holds with the number of writes that each keeps back."""
    query = (
        select(t.hold, func.count(t.outbox.c.id).label("writes"))
        .outerjoin(t.outbox, t.outbox.c.hold_id == t.hold.c.id)
        .where(t.hold.c.released_at.is_(None))
        .group_by(*t.hold.c)
        .order_by(t.hold.c.opened_at)
    )
    if account_id is not None:
        query = query.where(t.hold.c.account_id == account_id)
    return [dict(row) for row in tx.execute(query).mappings()]


def release(tx: Connection, hold_id: str, now: datetime) -> int:
    """Let the writes of a hold go; say how many. They keep its id: the brake is off for them."""
    tx.execute(update(t.hold).where(t.hold.c.id == hold_id).values(released_at=now))
    kept = (t.outbox.c.hold_id == hold_id, t.outbox.c.state == State.HELD)
    free = {"state": State.PENDING, "due_at": now}
    return tx.execute(update(t.outbox).where(*kept).values(**free)).rowcount


def replay(tx: Connection, account_id: AccountId | None, now: datetime, ids: Sequence[int]) -> int:
    """Put parked writes back in line; whether they are still wanted is checked as they go."""
    count = 0
    for some in slices(ids):
        parked = update(t.outbox).where(t.outbox.c.id.in_(some), t.outbox.c.state == State.PARKED)
        if account_id is not None:
            parked = parked.where(t.outbox.c.account_id == account_id)
        fresh = {"state": State.PENDING, "attempts": 0, "reason": "", "due_at": now}
        count += tx.execute(parked.values(**fresh)).rowcount
    return count


def retry_parked(tx: Connection, connection_id: ConnectionId, now: datetime) -> int:
    """Put every parked write of a connection back in line."""
    parked = update(t.outbox).where(
        t.outbox.c.connection_id == connection_id, t.outbox.c.state == State.PARKED
    )
    fresh = {"state": State.PENDING, "attempts": 0, "reason": "", "due_at": now}
    return tx.execute(parked.values(**fresh)).rowcount


def listed(
    tx: Connection, account_id: AccountId, state: str, after: int, most: int
) -> list[Row[Any]]:
    """Return writes in a state, by id, from behind `after`."""
    states = [State.PENDING, State.SENDING] if state == State.PENDING else [state]
    query = (
        select(t.outbox)
        .where(
            t.outbox.c.account_id == account_id,
            t.outbox.c.state.in_(states),
            t.outbox.c.id > after,
        )
        .order_by(t.outbox.c.id)
        .limit(most)
    )
    return list(tx.execute(query))


def parked(tx: Connection, account_id: AccountId | None, text: str) -> list[int]:
    """Return the parked writes; `text`: of a reason or a record."""
    own = t.outbox.c
    query = select(own.id).where(own.state == State.PARKED)
    if account_id is not None:
        query = query.where(own.account_id == account_id)
    if text:
        names = own.reason.icontains(text, autoescape=True)
        query = query.where(or_(names, own.record_id == text))
    return list(tx.execute(query.order_by(own.id)).scalars())


def backlog(tx: Connection, account_id: AccountId | None) -> Backlog:
    """Count writes that wait, were put aside or are held; of all accounts where None."""
    number = {
        state: count(tx, t.outbox, state, account_id)
        for state in (State.PENDING, State.SENDING, State.PARKED, State.HELD)
    }
    waiting = (State.PENDING, State.SENDING)
    oldest = select(func.min(t.outbox.c.created_at)).where(t.outbox.c.state.in_(waiting))
    if account_id is not None:
        oldest = oldest.where(t.outbox.c.account_id == account_id)
    pending = number[State.PENDING] + number[State.SENDING]
    since = tx.execute(oldest).scalar()
    return Backlog(pending, number[State.PARKED], number[State.HELD], since)


def open_journal(
    tx: Connection, account_id: AccountId, entry: Mapping[str, Any], now: datetime
) -> int:
    """Write down, before a field is cleared, what it has to be set to."""
    row = {"account_id": account_id, "opened_at": now, **entry}
    key = tx.execute(t.journal.insert().values(**row)).inserted_primary_key
    return int(key[0]) if key else 0


def close_journal(tx: Connection, entry_id: int) -> None:
    """Tick a clear-then-set off."""
    tx.execute(update(t.journal).where(t.journal.c.id == entry_id).values(state="done"))


def journal(tx: Connection, connection_id: ConnectionId) -> list[Row[Any]]:
    """Return every clear-then-set that was begun and not ended."""
    query = select(t.journal).where(
        t.journal.c.connection_id == connection_id, t.journal.c.state == "open"
    )
    return list(tx.execute(query))


def _writing(account_id: AccountId, one: Writing) -> dict[str, Any]:
    return {
        "account_id": account_id,
        **one.record._asdict(),
        "field": one.field,
        "value": one.value,
        "seen": one.seen,
        "seen_at": one.seen_at,
        "cause": one.cause,
        "intent_at": one.intent_at,
    }
