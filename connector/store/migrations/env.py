"""Alembic's entry: runs on the connection that connector.store.migrate opened."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from connector.store.tables import metadata
from connector.store.types import Document, Instant


def plain_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as what the database holds, so that migrations stand alone."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.BigInteger()"
    if kind == "type" and isinstance(item, Document):
        return "sa.Text()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=plain_type,
)
with context.begin_transaction():
    context.run_migrations()
