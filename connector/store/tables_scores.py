"""Tables of scores: models, what they say of profiles, and who is to be scored again."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from connector.store.columns import metadata, of_account, waiting, whole, words
from connector.store.types import Document, Instant

# A model is sealed bytes: machines share no disk. `state` is serving, kept or refused; `held` says
# why its scores are not told to the CRMs.
model = Table(
    "model",
    metadata,
    Column("id", Text, primary_key=True),
    of_account(),
    Column("made_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("score_state", Text, nullable=False),
    words("held"),
    Column("report", Document, nullable=False),
    Column("artefact", LargeBinary, nullable=False),
    Index("ix_model_account", "account_id", "made_at"),
)

score = Table(
    "score",
    metadata,
    Column("profile_id", Text, ForeignKey("profile.id"), primary_key=True),
    of_account(),
    Column("state", Text, nullable=False),
    Column("value", Integer),
    Column("points", Float),
    Column("reasons", Document, nullable=False),
    words("model_id"),
    Column("scored_at", Instant, nullable=False),
    Column("told_at", Instant),
    Column("shown", Document, nullable=False),
    whole("trend"),
    Index("ix_score_value", "account_id", "value"),
)

# One row an account: marks that come together are one training.
training = Table(
    "training",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), primary_key=True),
    Column("wanted_at", Instant),
    words("why"),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    words("failure"),
    whole("aged_on"),  # the day on which all were scored anew because time passes
    waiting("ix_training_wanted", "wanted_at", when="wanted_at IS NOT NULL"),
)

# What a profile's whole days told the scorer, made when it is first asked.
told_day = Table(
    "told_day",
    metadata,
    of_account(),
    Column("profile_id", Text, ForeignKey("profile.id"), nullable=False),
    Column("day", Integer, nullable=False),
    Column("signs", Document, nullable=False),
    Column("ended_at", Instant, nullable=False),
    words("ended_with"),
    PrimaryKeyConstraint("profile_id", "day"),
)
