"""Tables that go with the ledger of moves: entries to MQL, and what sales made of them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from connector.store.columns import metadata, of_account, words
from connector.store.types import Document, Instant

entry = Table(
    "entry",
    metadata,
    of_account(),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    Column("step_key", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    words("rule"),
    words("owner"),
    Column("score", Integer),
    Column("accepted_at", Instant),
    Column("sql_at", Instant),
    Column("touched_at", Instant),
    Column("dispositions", Document, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("superseded_at", Instant),
    PrimaryKeyConstraint("profile_id", "step_key", "occurred_at"),
    Index("ix_entry_occurred", "account_id", "occurred_at"),
)
