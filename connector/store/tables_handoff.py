"""Tables of the hand-off: what is to be done once, and whose turn it is."""

from __future__ import annotations

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from connector.store.columns import metadata, of_account, of_connection, waiting, words
from connector.store.types import Instant

# The key is what the CRM's deal or task is marked with.
handoff = Table(
    "handoff",
    metadata,
    Column("key", Text, primary_key=True),
    of_account(),
    of_connection(),
    Column("object", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("answers", Instant, nullable=False),
    words("state", "waiting"),
    words("outcome"),
    Column("due_at", Instant),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("connection_id", "object", "record_id", "part", "answers"),
    waiting("ix_handoff_ripe", "connection_id", when="state = 'ripe'"),
    waiting("ix_handoff_waiting", "connection_id", "due_at", when="due_at IS NOT NULL"),
)

# Who was given the last record in a round robin.
turn = Table(
    "turn",
    metadata,
    of_account(),
    of_connection(),
    Column("name", Text, nullable=False),
    words("last"),
    PrimaryKeyConstraint("connection_id", "name"),
)
