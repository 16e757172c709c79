"""The tables of the poller: one pass a connection, and how far each object is known."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text

from connector.store.columns import flag, metadata, of_account, of_connection, whole, words
from connector.store.types import Instant

poll = Table(
    "poll",
    metadata,
    Column("connection_id", Text, ForeignKey("connection.id"), primary_key=True),
    of_account(),
    words("state", "done"),
    whole("place"),
    Column("after", Text),
    Column("newest", Instant),
    flag("sweeps"),
    whole("differed"),
    whole("found"),
    whole("failures"),
    words("reason"),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("swept_at", Instant),
    Column("due_at", Instant, nullable=False),
)

watermark = Table(
    "watermark",
    metadata,
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    PrimaryKeyConstraint("connection_id", "object"),
)

seen = Table(
    "seen",
    metadata,
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("stamp", Instant, nullable=False),
    PrimaryKeyConstraint("connection_id", "object", "record_id"),
    Index("ix_seen_stamp", "connection_id", "object", "stamp"),
)
