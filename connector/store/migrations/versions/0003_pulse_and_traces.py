"""Processes say that they live and what they counted; reads keep their trace"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PARTIAL = (
    ("ix_delivery_parked", "delivery", ["id"], "state = 'parked'"),
    ("ix_outbox_oldest", "outbox", ["created_at"], "state IN ('pending','sending')"),
    ("ix_outbox_aside", "outbox", ["state", "created_at"], "state IN ('parked','held')"),
)


def upgrade() -> None:
    op.create_table(
        "pulse",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pulse")),
    )
    op.create_table(
        "tally",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", name=op.f("pk_tally")),
    )
    op.add_column("record", sa.Column("ask_trace", sa.Text(), server_default="", nullable=False))
    for name, table, columns, when in PARTIAL:
        op.create_index(
            name, table, columns, sqlite_where=sa.text(when), postgresql_where=sa.text(when)
        )


def downgrade() -> None:
    for name, table, _, _ in PARTIAL:
        op.drop_index(name, table_name=table)
    op.drop_column("record", "ask_trace")
    op.drop_table("tally")
    op.drop_table("pulse")
