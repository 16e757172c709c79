"""How far each backfill has come, so that it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, select

from connector.domain.facts import ConnectionId
from connector.store import tables as t
from connector.store.sql import put
from connector.stored import Connection


def get(tx: Tx, connection_id: ConnectionId, kind: str) -> Row[Any] | None:
    """Return the state of a backfill, None before its start."""
    query = select(t.backfill).where(
        t.backfill.c.connection_id == connection_id, t.backfill.c.object == kind
    )
    return tx.execute(query).first()


def put_state(tx: Tx, connection: Connection, kind: str, values: Mapping[str, Any]) -> None:
    """Keep how far a backfill is."""
    own = {"account_id": connection.account_id, "connection_id": connection.id, "object": kind}
    put(tx, t.backfill, [own | dict(values)])
