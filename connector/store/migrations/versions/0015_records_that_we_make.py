"""Records that we have CRMs make for people who have none there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "creation",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("object", sa.Text(), server_default="", nullable=False),
        sa.Column("record_id", sa.Text(), server_default="", nullable=False),
        sa.Column("called_at", sa.BigInteger(), nullable=True),
        sa.Column("joined_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_creation_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_creation_connection_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_creation")),
        sa.UniqueConstraint(
            "connection_id", "profile_id", name=op.f("uq_creation_connection_id_profile_id")
        ),
    )
    with op.batch_alter_table("creation", schema=None) as batch_op:
        batch_op.create_index("ix_creation_called", ["connection_id", "called_at"], unique=False)
        batch_op.create_index("ix_creation_profile", ["profile_id"], unique=False)
        batch_op.create_index(
            "ix_creation_unread",
            ["connection_id", "object", "record_id"],
            unique=False,
            sqlite_where=sa.text("record_id <> '' AND joined_at IS NULL"),
            postgresql_where=sa.text("record_id <> '' AND joined_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("creation", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_creation_unread",
            sqlite_where=sa.text("record_id <> '' AND joined_at IS NULL"),
            postgresql_where=sa.text("record_id <> '' AND joined_at IS NULL"),
        )
        batch_op.drop_index("ix_creation_profile")
        batch_op.drop_index("ix_creation_called")

    op.drop_table("creation")
