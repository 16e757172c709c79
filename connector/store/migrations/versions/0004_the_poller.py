"""The poller"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "poll",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="done", nullable=False),
        sa.Column("place", sa.Integer(), server_default="0", nullable=False),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("newest", sa.BigInteger(), nullable=True),
        sa.Column("sweeps", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("differed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("found", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("swept_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_poll_account_id"),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name="fk_poll_connection_id"),
        sa.PrimaryKeyConstraint("connection_id", name="pk_poll"),
    )
    op.create_table(
        "watermark",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_watermark_account_id"),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name="fk_watermark_connection_id"
        ),
        sa.PrimaryKeyConstraint("connection_id", "object", name="pk_watermark"),
    )
    op.create_table(
        "seen",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_seen_account_id"),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name="fk_seen_connection_id"),
        sa.PrimaryKeyConstraint("connection_id", "object", "record_id", name="pk_seen"),
    )
    op.create_index("ix_seen_stamp", "seen", ["connection_id", "object", "stamp"])


def downgrade() -> None:
    op.drop_table("seen")
    op.drop_table("watermark")
    op.drop_table("poll")
