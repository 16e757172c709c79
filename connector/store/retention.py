"""What has served its time is deleted, a bounded piece at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Select, Table, delete, select

from connector.store import tables as t
from connector.stored import State

# A sender's repeats must have ended long before its keys are forgotten.
KEPT = timedelta(days=7)
LEDGER_KEPT = timedelta(days=30)
AT_ONCE = 2000


def prune(tx: Connection, now: datetime) -> int:
    """Delete a piece of what is past its time; return how many rows that was."""
    finished = (State.DONE, State.SENT, State.DROPPED)
    count = 0
    for table, dated in (
        (t.delivery, t.delivery.c.received_at),
        (t.event, t.event.c.received_at),
        (t.outbox, t.outbox.c.created_at),
    ):
        old = select(table.c.id).where(dated < now - KEPT, table.c.state.in_(finished))
        count += _delete(tx, table, old)
    ancient = now - LEDGER_KEPT
    count += _delete(tx, t.written, select(t.written.c.id).where(t.written.c.intent_at < ancient))
    ended = (t.journal.c.opened_at < ancient, t.journal.c.state == "done")
    return count + _delete(tx, t.journal, select(t.journal.c.id).where(*ended))


def _delete(tx: Connection, table: Table, old: Select[tuple[int]]) -> int:
    ids = [row.id for row in tx.execute(old.limit(AT_ONCE))]
    own: Column[int] = table.c.id
    return tx.execute(delete(table).where(own.in_(ids))).rowcount if ids else 0
