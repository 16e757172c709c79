"""How the platform's bodies are read, and what the last ones looked like."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "captured",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_captured_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_captured_connection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captured")),
    )
    with op.batch_alter_table("captured", schema=None) as batch_op:
        batch_op.create_index("ix_captured_connection", ["connection_id", "id"], unique=False)

    op.create_table(
        "wording",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("capture", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_wording_account_id")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_wording_connection_id")
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_wording")),
    )


def downgrade() -> None:
    op.drop_table("wording")
    with op.batch_alter_table("captured", schema=None) as batch_op:
        batch_op.drop_index("ix_captured_connection")

    op.drop_table("captured")
