"""What is kept by other names than a row's number, and has served its time, goes too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, select, tuple_

from connector.domain.keeping import Keeping
from connector.store import rules as r
from connector.store.tables_handoff import handoff
from connector.store.wordings import captured

# Rows deleted in one transaction: the writer is busy for milliseconds.
AT_ONCE = 200


def prune(tx: Connection, keeping: Keeping, now: datetime) -> int:
    """Delete some of what is past its time; say how many rows that was."""
    return sum(_take(tx, table, *which) for table, *which in _past(keeping, now))


def _past(keeping: Keeping, now: datetime) -> list[tuple[Any, ...]]:
    """Return of each table what may go."""
    return [
        (r.refusal, r.refusal.c.at < now - keeping.parked, ~_counts()),
        (r.refusal_day, r.refusal_day.c.day < (now - keeping.audit).date().isoformat()),
        # A row keeps its part from being done again as long as anybody may tell of it late.
        (
            handoff,
            handoff.c.created_at < now - keeping.audit,
            handoff.c.due_at.is_(None),
            handoff.c.state != "ripe",
        ),
        (captured, captured.c.received_at < now - keeping.inbox),
    ]


def _counts() -> ColumnElement[bool]:
    """Match a no of the version of a rule that counts now."""
    return exists().where(
        r.rule.c.account_id == r.refusal.c.account_id,
        r.rule.c.id == r.refusal.c.rule_id,
        r.rule.c.version == r.refusal.c.version,
        r.rule.c.retired_at.is_(None),
    )


def _take(tx: Connection, table: Table, *which: ColumnElement[bool]) -> int:
    keys = list(table.primary_key)
    some = select(*keys).where(*which).limit(AT_ONCE)
    return tx.execute(delete(table).where(tuple_(*keys).in_(some))).rowcount
