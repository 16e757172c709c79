"""Hand-offs: what is to be done once, and whose turn it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handoff",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("answers", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_handoff_account_id")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_handoff_connection_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_handoff")),
        sa.UniqueConstraint(
            "connection_id",
            "object",
            "record_id",
            "part",
            "answers",
            name=op.f("uq_handoff_connection_id_object_record_id_part_answers"),
        ),
    )
    with op.batch_alter_table("handoff", schema=None) as batch_op:
        batch_op.create_index(
            "ix_handoff_ripe",
            ["connection_id"],
            unique=False,
            sqlite_where=sa.text("state = 'ripe'"),
            postgresql_where=sa.text("state = 'ripe'"),
        )
        batch_op.create_index(
            "ix_handoff_waiting",
            ["connection_id", "due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )

    op.create_table(
        "turn",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_turn_account_id")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_turn_connection_id")
        ),
        sa.PrimaryKeyConstraint("connection_id", "name", name=op.f("pk_turn")),
    )


def downgrade() -> None:
    op.drop_table("turn")
    with op.batch_alter_table("handoff", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_handoff_ripe",
            sqlite_where=sa.text("state = 'ripe'"),
            postgresql_where=sa.text("state = 'ripe'"),
        )
        batch_op.drop_index(
            "ix_handoff_waiting",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )

    op.drop_table("handoff")
