"""How far the poller is: its pass, its watermarks, and what it has seen lately."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, delete, select

from connector.domain.facts import AccountId, ConnectionId
from connector.domain.slots import Slot
from connector.ports import Mark
from connector.store import tables as t
from connector.store import tables_polls as p
from connector.store.sql import put, slices
from connector.stored import Connection, Poll


class Polls:
    """What the poller keeps of its connections."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def get(self, connection_id: str) -> Poll | None:
        """Return the pass of a connection, running or the last one; None before the first."""
        row = self.tx.execute(select(p.poll).where(p.poll.c.connection_id == connection_id)).first()
        return _as_poll(row) if row else None

    def all(self, account_id: AccountId | None) -> dict[ConnectionId, Poll]:
        """Return the passes of an account's connections, or of all."""
        query = select(p.poll)
        if account_id is not None:
            query = query.where(p.poll.c.account_id == account_id)
        return {ConnectionId(row.connection_id): _as_poll(row) for row in self.tx.execute(query)}

    def put(self, connection: Connection, poll: Poll) -> None:
        """Keep how far a pass is."""
        own = {"connection_id": connection.id, "account_id": connection.account_id}
        put(self.tx, p.poll, [own | asdict(poll)])

    def watermark(self, connection: Connection, kind: str) -> datetime:
        """Return up to when an object's changes are known: at first, since we were connected."""
        own = (p.watermark.c.connection_id == connection.id, p.watermark.c.object == kind)
        found = self.tx.execute(select(p.watermark.c.changed_at).where(*own)).scalar()
        return self.began(connection) if found is None else found

    def began(self, connection: Connection) -> datetime:
        """Return since when we are connected."""
        made = select(t.connection.c.created_at).where(t.connection.c.id == connection.id)
        found: datetime = self.tx.execute(made).scalar_one()
        return found

    def set_watermark(self, connection: Connection, kind: str, at: datetime) -> None:
        """Keep up to when an object's changes are known."""
        put(self.tx, p.watermark, [_own(connection, kind) | {"changed_at": at}])

    def fresh(self, connection: Connection, kind: str, marks: Collection[Mark]) -> list[Mark]:
        """Return the marks that tell of a later change than the one that was seen."""
        newest = {mark.record_id: mark for mark in sorted(marks, key=lambda mark: mark.stamp)}
        known: dict[str, datetime] = {}
        for ids in slices(newest):
            query = select(p.seen.c.record_id, p.seen.c.stamp).where(
                p.seen.c.connection_id == connection.id,
                p.seen.c.object == kind,
                p.seen.c.record_id.in_(ids),
            )
            known |= {row.record_id: row.stamp for row in self.tx.execute(query)}
        return [
            m for m in newest.values() if m.record_id not in known or known[m.record_id] < m.stamp
        ]

    def see(self, connection: Connection, kind: str, marks: Collection[Mark]) -> None:
        """Keep which change of a record was looked at."""
        rows = [_own(connection, kind) | asdict(mark) for mark in marks]
        put(self.tx, p.seen, rows)

    def forget(self, connection: Connection, kind: str, before: datetime) -> None:
        """Forget what no search will find again."""
        own = (p.seen.c.connection_id == connection.id, p.seen.c.object == kind)
        self.tx.execute(delete(p.seen).where(*own, p.seen.c.stamp < before))

    def hushed(self, connection: Connection, kind: str, ids: Collection[str]) -> set[str]:
        """Return which of these records belong to somebody in slot 10."""
        return {row.record_id for row in self._records(connection, kind, ids) if row.hushed}

    def alive(self, connection: Connection, kind: str, ids: Collection[str]) -> dict[str, bool]:
        """Say of the records that we know whether we think them there."""
        rows = self._records(connection, kind, ids)
        return {row.record_id: row.alive and not row.merged_into for row in rows}

    def _records(self, connection: Connection, kind: str, ids: Collection[str]) -> list[Row[Any]]:
        found: list[Row[Any]] = []
        hushed = t.profile.c.slot == Slot.DO_NOT_CONTACT
        for some in slices(ids):
            query = (
                select(t.record, hushed.label("hushed"))
                .outerjoin(t.profile, t.profile.c.id == t.record.c.profile_id)
                .where(
                    t.record.c.connection_id == connection.id,
                    t.record.c.object == kind,
                    t.record.c.record_id.in_(some),
                )
            )
            found += self.tx.execute(query).all()
        return found


def _own(connection: Connection, kind: str) -> dict[str, Any]:
    return {"account_id": connection.account_id, "connection_id": connection.id, "object": kind}


def _as_poll(row: Row[Any]) -> Poll:
    return Poll(**{field.name: getattr(row, field.name) for field in fields(Poll)})
