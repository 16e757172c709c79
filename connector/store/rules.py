"""Tables of escalation rules: every version of them, and what they decided."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from connector.store.columns import metadata, of_account, waiting, whole, words
from connector.store.types import Document, Instant


def _of_profile() -> Column[str]:
    return Column("profile_id", Text, ForeignKey("profile.id"), nullable=False)


def _of_rule() -> Column[str]:
    return Column("rule_id", Text, nullable=False)


# A version never changes; the one that is not retired counts.
rule = Table(
    "rule",
    metadata,
    of_account(),
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", Document, nullable=False),
    Column("since", Instant, nullable=False),
    Column("retired_at", Instant),
    PrimaryKeyConstraint("id", "version"),
    waiting("ix_rule_current", "account_id", "id", when="retired_at IS NULL"),
)

# Named like the step that it took.
firing = Table(
    "firing",
    metadata,
    Column("id", Text, primary_key=True),
    of_account(),
    _of_rule(),
    Column("version", Integer, nullable=False),
    _of_profile(),
    Column("at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("seen", Document, nullable=False),
    Index("ix_firing_profile", "profile_id"),
    Index("ix_firing_rule", "rule_id", "at", "id"),
)

refusal = Table(
    "refusal",
    metadata,
    of_account(),
    _of_rule(),
    Column("version", Integer, nullable=False),
    _of_profile(),
    Column("at", Instant, nullable=False),
    Column("why", Text, nullable=False),
    words("detail"),
    PrimaryKeyConstraint("rule_id", "profile_id"),
    Index("ix_refusal_profile", "profile_id"),
    Index("ix_refusal_at", "rule_id", "at", "profile_id"),
)

refusal_day = Table(
    "refusal_day",
    metadata,
    of_account(),
    _of_rule(),
    Column("day", Text, nullable=False),
    Column("why", Text, nullable=False),
    whole("number"),
    PrimaryKeyConstraint("rule_id", "day", "why"),
)

# A score crossing that does not count again before the score has fallen.
tripped = Table(
    "tripped",
    metadata,
    of_account(),
    _of_rule(),
    _of_profile(),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("rule_id", "profile_id"),
    Index("ix_tripped_profile", "profile_id"),
)

# How far a rule of the clock had looked, for code that is older than what its noes tell now.
rule_place = Table(
    "rule_place",
    metadata,
    of_account(),
    Column("rule_id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    words("after"),
)

OF_PROFILES = (firing, refusal, tripped)
