"""Tables that go with the ledger of moves: entries to MQL, and moves told to the platform."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from connector.store.columns import (
    flag,
    metadata,
    of_account,
    of_connection,
    waiting,
    whole,
    words,
)
from connector.store.types import Document, Instant, RowId

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

notice_target = Table(
    "notice_target",
    metadata,
    Column("connection_id", Text, ForeignKey("connection.id"), primary_key=True),
    of_account(),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    flag("silent"),
    Column("created_at", Instant, nullable=False),
)

notice = Table(
    "notice",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    of_account(),
    of_connection(),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    Column("message", Text, nullable=False),
    Column("move_id", BigInteger, nullable=False),
    Column("start", Integer),
    Column("goal", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("score", Integer),
    words("score_state"),
    words("state", "pending"),
    words("reason"),
    whole("attempts"),
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    waiting("ix_notice_waiting", "connection_id", "due_at", when="state = 'pending'"),
    Index("ix_notice_profile", "profile_id", "connection_id", "id"),
)
