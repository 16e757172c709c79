"""Journeys put aside, proven addresses, and when the first origin was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("alias", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("verified", sa.Boolean(), server_default=sa.text("(false)"), nullable=False)
        )

    with op.batch_alter_table("journey", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.Text(), server_default="", nullable=False))
        batch_op.drop_index(
            batch_op.f("ix_journey_waiting"), sqlite_where=sa.text("profile_id IS NULL")
        )
        batch_op.create_index(
            "ix_journey_line",
            ["account_id", "silent", "id"],
            unique=False,
            sqlite_where=sa.text("profile_id IS NULL AND reason = ''"),
            postgresql_where=sa.text("profile_id IS NULL AND reason = ''"),
        )
        batch_op.create_index(
            "ix_journey_parked",
            ["account_id", "id"],
            unique=False,
            sqlite_where=sa.text("reason <> ''"),
            postgresql_where=sa.text("reason <> ''"),
        )

    with op.batch_alter_table("visitor", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("visitor", schema=None) as batch_op:
        batch_op.drop_column("origin_at")

    with op.batch_alter_table("journey", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_journey_parked",
            sqlite_where=sa.text("reason <> ''"),
            postgresql_where=sa.text("reason <> ''"),
        )
        batch_op.drop_index(
            "ix_journey_line",
            sqlite_where=sa.text("profile_id IS NULL AND reason = ''"),
            postgresql_where=sa.text("profile_id IS NULL AND reason = ''"),
        )
        batch_op.create_index(
            batch_op.f("ix_journey_waiting"),
            ["account_id", "id"],
            unique=False,
            sqlite_where=sa.text("profile_id IS NULL"),
        )
        batch_op.drop_column("reason")

    with op.batch_alter_table("alias", schema=None) as batch_op:
        batch_op.drop_column("verified")
