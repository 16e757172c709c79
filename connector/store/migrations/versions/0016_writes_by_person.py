"""Writes that wait are found by their person when people join or are erased."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outbox_profile", "outbox", ["profile_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_outbox_profile", "outbox")
