"""Deliveries without an index of their times.

Nothing asks by it: what waits and what is parked has indexes of its own, and retention goes by
number. Every delivery paid for it.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_received_at")


def downgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_received_at", ["received_at"], unique=False)
