"""Add models, scores, and what days told the scorer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("score_state", sa.Text(), nullable=False),
        sa.Column("held", sa.Text(), server_default="", nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("artefact", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_model_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
    )
    op.create_index("ix_model_account", "model", ["account_id", "made_at"], unique=False)

    op.create_table(
        "training",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.Text(), server_default="", nullable=False),
        sa.Column("aged_on", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_training_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_training")),
    )
    op.create_index(
        "ix_training_wanted",
        "training",
        ["wanted_at"],
        unique=False,
        sqlite_where=sa.text("wanted_at IS NOT NULL"),
        postgresql_where=sa.text("wanted_at IS NOT NULL"),
    )

    op.create_table(
        "score",
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("points", sa.Float(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), server_default="", nullable=False),
        sa.Column("scored_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("trend", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_score_account_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_score_profile_id")),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_score")),
    )
    op.create_index("ix_score_value", "score", ["account_id", "value"], unique=False)

    op.create_table(
        "told_day",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("signs", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_with", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_told_day_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name=op.f("fk_told_day_profile_id")
        ),
        sa.PrimaryKeyConstraint("profile_id", "day", name=op.f("pk_told_day")),
    )
    op.add_column("visitor", sa.Column("score_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "visitor",
        sa.Column("score_now", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("visitor", sa.Column("told_to", sa.Integer(), nullable=True))
    op.create_index(
        "ix_visitor_score",
        "visitor",
        ["account_id", "score_at"],
        unique=False,
        sqlite_where=sa.text("score_at IS NOT NULL"),
        postgresql_where=sa.text("score_at IS NOT NULL"),
    )

    # Whoever was there before is scored too.
    op.execute(sa.text("UPDATE visitor SET score_at = 0"))


def downgrade() -> None:
    op.drop_index(
        "ix_visitor_score",
        table_name="visitor",
        sqlite_where=sa.text("score_at IS NOT NULL"),
        postgresql_where=sa.text("score_at IS NOT NULL"),
    )
    op.drop_column("visitor", "told_to")
    op.drop_column("visitor", "score_now")
    op.drop_column("visitor", "score_at")

    op.drop_table("told_day")
    op.drop_index("ix_score_value", table_name="score")

    op.drop_table("score")
    op.drop_index(
        "ix_training_wanted",
        table_name="training",
        sqlite_where=sa.text("wanted_at IS NOT NULL"),
        postgresql_where=sa.text("wanted_at IS NOT NULL"),
    )

    op.drop_table("training")
    op.drop_index("ix_model_account", table_name="model")

    op.drop_table("model")
