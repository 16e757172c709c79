"""What the processes say of themselves; of no account, because no row names one."""

from __future__ import annotations

from sqlalchemy import Column, Float, PrimaryKeyConstraint, Table, Text

from connector.store.columns import metadata, words
from connector.store.types import Instant

pulse = Table(
    "pulse",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

tally = Table(
    "tally",
    metadata,
    Column("name", Text, nullable=False),
    words("labels"),
    Column("value", Float, nullable=False),
    PrimaryKeyConstraint("name", "labels"),
)
