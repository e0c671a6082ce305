"""The rate limit that all workers of a connection share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create its table."""
    op.create_table(
        "quantconnect_api_pace",
        sa.Column("pace_key", sa.Text(), primary_key=True),
        sa.Column("free_at", sa.Double(), nullable=False),
    )
