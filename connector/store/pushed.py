"""What our own fields hold on records, as far as we know."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select, update

from connector.domain.facts import RecordKey
from connector.store import tables as t
from connector.store.records import of_record, records
from connector.store.sql import add, run
from connector.stored import LIVE, UNKNOWN, Purpose, State

_KEPT = (
    update(t.record)
    .where(
        t.record.c.connection_id == bindparam("connection"),
        t.record.c.object == bindparam("kind"),
        t.record.c.record_id == bindparam("own_id"),
    )
    .values(pushed=bindparam("now"))
)


def keep(
    tx: Connection,
    fields: Mapping[RecordKey, Mapping[str, str]],
    whole: Collection[RecordKey],
) -> None:
    """Keep what was written to records of one connection and object.

    Where it was not all of our fields, a doubt stays.
    """
    known = records(tx, list(fields))
    rows = [
        {
            "connection": key.connection_id,
            "kind": key.object,
            "own_id": key.record_id,
            "now": {**({} if key in whole else known[key].pushed), **values},
        }
        for key, values in fields.items()
        if key in known
    ]
    if rows:
        run(tx, _KEPT, rows)


def doubt(tx: Connection, keys: Iterable[RecordKey], now: datetime) -> None:
    """Keep that nobody knows what our own fields hold on records: a reply was lost.

    A write to what was merged away went into what it became, where all is written again.
    """
    for key in keys:
        # First of all: whoever has it merged right now waits for us, or we see what it became.
        _forget(tx, key)
        heir = _heir(tx, key)
        if heir != key:
            rewrite(tx, [heir], now)


def rewrite(tx: Connection, keys: Iterable[RecordKey], now: datetime) -> None:
    """Have all of our own fields written again to records, or to what they became."""
    for key in {_heir(tx, key) for key in keys}:
        _forget(tx, key)
        own = (t.record.c.profile_id == t.profile.c.id, t.profile.c.slot.is_not(None))
        found = select(t.record).where(*of_record(t.record, key), *own)
        row = tx.execute(found).first()
        if row is not None and not _waits(tx, key):
            add(tx, t.outbox, [_wanted(row, key, now)])


def _forget(tx: Connection, key: RecordKey) -> None:
    tx.execute(update(t.record).where(*of_record(t.record, key)).values(pushed={UNKNOWN: UNKNOWN}))


def _heir(tx: Connection, key: RecordKey) -> RecordKey:
    """Return what a record became by merges: itself, where nothing."""
    seen = {key}
    while True:
        into = tx.execute(select(t.record.c.merged_into).where(*of_record(t.record, key))).scalar()
        if not into or (found := key._replace(record_id=into)) in seen:
            return key
        key = found
        seen.add(key)


def _waits(tx: Connection, key: RecordKey) -> bool:
    own = (t.outbox.c.purpose == Purpose.OWN, t.outbox.c.state == State.PENDING)
    return bool(tx.execute(select(exists().where(*of_record(t.outbox, key), *own))).scalar_one())


def _wanted(row: Any, key: RecordKey, now: datetime) -> dict[str, Any]:
    """Return a write of our own fields: which, and what they hold, is seen as it goes."""
    return key._asdict() | {
        "account_id": row.account_id,
        "profile_id": row.profile_id,
        "purpose": Purpose.OWN,
        "fields": {},
        "seen": {},
        "lane": LIVE,
        "state": State.PENDING,
        "due_at": now,
        "created_at": now,
    }
