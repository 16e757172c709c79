"""Tell the platform of scores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice", sa.Column("score", sa.Integer(), nullable=True))
    op.add_column("notice", sa.Column("score_state", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("notice", "score_state")
    op.drop_column("notice", "score")
