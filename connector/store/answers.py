"""The ledger of what sales answered: lead statuses and dispositions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, PrimaryKeyConstraint, Row, Table, Text, update

from connector.domain.facts import AccountId, ConnectionId, RecordKey
from connector.domain.steps import Actor
from connector.mapping.table import Disposition
from connector.store import columns
from connector.store.columns import of_account, of_connection, words
from connector.store.sql import put
from connector.store.types import Instant
from connector.stored import LedgerAnswer

answer = Table(
    "answer",
    columns.metadata,
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    words("lead_status"),
    words("disposition"),
    Column("actor", Text, nullable=False),
    Column("mql_at", Instant),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("superseded_at", Instant),
    PrimaryKeyConstraint("connection_id", "object", "record_id", "occurred_at"),
)


def keep(
    tx: Connection,
    account_id: AccountId,
    told: Sequence[LedgerAnswer],
    untrue: Sequence[LedgerAnswer],
    now: datetime,
) -> None:
    """Store answers; those that became untrue are superseded, not forgotten."""
    for one in untrue:
        own = (answer.c[name] == value for name, value in one.record._asdict().items())
        query = update(answer).where(*own, answer.c.occurred_at == one.occurred_at)
        tx.execute(query.values(superseded_at=now))
    put(tx, answer, [{"account_id": account_id} | _row(one) for one in told], ["recorded_at"])


def _row(one: LedgerAnswer) -> dict[str, Any]:
    return one.record._asdict() | {
        "lead_status": one.lead_status,
        "disposition": one.disposition or "",
        "actor": one.actor,
        "mql_at": one.mql_at,
        "occurred_at": one.occurred_at,
        "recorded_at": one.recorded_at,
        "superseded_at": None,
    }


def as_answer(row: Row[Any]) -> LedgerAnswer:
    """Return an answer's row as a value."""
    return LedgerAnswer(
        RecordKey(ConnectionId(row.connection_id), row.object, row.record_id),
        row.lead_status,
        Disposition(row.disposition) if row.disposition else None,
        Actor(row.actor),
        row.mql_at,
        row.occurred_at,
        row.recorded_at,
    )
