"""Escalation rules: their versions, and what they decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refusal_day",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_refusal_day_account_id")
        ),
        sa.PrimaryKeyConstraint("rule_id", "day", "why", name=op.f("pk_refusal_day")),
    )
    op.create_table(
        "rule",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_rule_account_id")),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_rule")),
    )
    with op.batch_alter_table("rule", schema=None) as batch_op:
        batch_op.create_index(
            "ix_rule_current",
            ["account_id", "id"],
            unique=False,
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )

    op.create_table(
        "rule_place",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_rule_place_account_id")
        ),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_rule_place")),
    )
    op.create_table(
        "firing",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_firing_account_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_firing_profile_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firing")),
    )
    with op.batch_alter_table("firing", schema=None) as batch_op:
        batch_op.create_index("ix_firing_profile", ["profile_id"], unique=False)
        batch_op.create_index("ix_firing_rule", ["rule_id", "at", "id"], unique=False)

    op.create_table(
        "refusal",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_refusal_account_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_refusal_profile_id")),
        sa.PrimaryKeyConstraint("rule_id", "profile_id", name=op.f("pk_refusal")),
    )
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.create_index("ix_refusal_at", ["rule_id", "at", "profile_id"], unique=False)
        batch_op.create_index("ix_refusal_profile", ["profile_id"], unique=False)

    op.create_table(
        "tripped",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_tripped_account_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_tripped_profile_id")),
        sa.PrimaryKeyConstraint("rule_id", "profile_id", name=op.f("pk_tripped")),
    )
    with op.batch_alter_table("tripped", schema=None) as batch_op:
        batch_op.create_index("ix_tripped_profile", ["profile_id"], unique=False)

    with op.batch_alter_table("profile", schema=None) as batch_op:
        batch_op.create_index(
            "ix_profile_since", ["account_id", "slot", "slot_since"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("profile", schema=None) as batch_op:
        batch_op.drop_index("ix_profile_since")

    with op.batch_alter_table("tripped", schema=None) as batch_op:
        batch_op.drop_index("ix_tripped_profile")

    op.drop_table("tripped")
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.drop_index("ix_refusal_profile")
        batch_op.drop_index("ix_refusal_at")

    op.drop_table("refusal")
    with op.batch_alter_table("firing", schema=None) as batch_op:
        batch_op.drop_index("ix_firing_rule")
        batch_op.drop_index("ix_firing_profile")

    op.drop_table("firing")
    op.drop_table("rule_place")
    with op.batch_alter_table("rule", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_rule_current",
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )

    op.drop_table("rule")
    op.drop_table("refusal_day")
