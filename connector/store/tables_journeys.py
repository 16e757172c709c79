"""Tables of journeys: the events, whom they are of, and what they add up to."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from connector.store.columns import flag, metadata, of_account, of_connection, waiting, words
from connector.store.types import Document, Instant, RowId

# Spelled here once, so that every query uses the partial index.
WAITS = "profile_id IS NULL AND reason = ''"
PARKED = "reason <> ''"

# Kept when split; `profile_id` is null until the drain has found out whose it is. What could not
# be worked on is put aside with its `reason`.
journey = Table(
    "journey",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    of_account(),
    of_connection(),
    Column("key", Text, nullable=False),
    Column("profile_id", Text, ForeignKey("profile.id")),
    Column("type", Text, nullable=False),
    words("code"),
    words("url"),
    words("form"),
    Column("data", Document, nullable=False),
    flag("silent"),
    words("trace"),
    words("reason"),
    Column("occurred_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("connection_id", "key"),
    Index("ix_journey_profile", "profile_id", "occurred_at", "id"),
    waiting("ix_journey_line", "account_id", "silent", "id", when=WAITS),
    waiting("ix_journey_parked", "account_id", "id", when=PARKED),
)

# A visitor's names: device, the platform's user, e-mail.
alias = Table(
    "alias",
    metadata,
    of_account(),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    Column("since", Instant, nullable=False),
    flag("verified"),  # an address that its owner has proven
    PrimaryKeyConstraint("account_id", "kind", "value"),
    Index("ix_alias_profile", "profile_id"),
)

visitor = Table(
    "visitor",
    metadata,
    Column("profile_id", Text, ForeignKey("profile.id"), primary_key=True),
    of_account(),
    words("known", "anonymous"),
    Column("origin", Document, nullable=False),
    Column("person", Document, nullable=False),
    Column("first_at", Instant),
    Column("last_at", Instant),
    Column("identified_at", Instant),
    Column("verified_at", Instant),
    Column("reward_at", Instant),
    Column("origin_at", Instant),
    Column("score_at", Instant),  # since when a new score is due
    flag("score_now"),  # and told at once, however small the change
    Column("told_to", Integer),  # the last day that the scorer has a bucket of
    Index("ix_visitor_last", "account_id", "last_at"),
    waiting("ix_visitor_reward", "account_id", "reward_at", when="reward_at IS NOT NULL"),
    waiting("ix_visitor_score", "account_id", "score_at", when="score_at IS NOT NULL"),
)

# How often a profile did what on a day; days are counted from 1970 in UTC.
day = Table(
    "day",
    metadata,
    of_account(),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    Column("day", Integer, nullable=False),
    Column("counts", Document, nullable=False),
    PrimaryKeyConstraint("profile_id", "day"),
)
