"""The rows of CRM records, found by their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from connector.domain.facts import RecordKey
from connector.store import tables as t
from connector.store.rows import as_record
from connector.stored import Record


def of_record(table: Any, key: RecordKey) -> tuple[Any, Any, Any]:
    """Say that rows of a table are about a record."""
    return (
        table.c.connection_id == key.connection_id,
        table.c.object == key.object,
        table.c.record_id == key.record_id,
    )


def records(tx: Connection, keys: Sequence[RecordKey]) -> dict[RecordKey, Record]:
    """Return records of one connection and object."""
    if not keys:
        return {}
    query = select(t.record).where(
        t.record.c.connection_id == keys[0].connection_id,
        t.record.c.object == keys[0].object,
        t.record.c.record_id.in_([key.record_id for key in keys]),
    )
    return {record.key: record for record in map(as_record, tx.execute(query))}
