"""Scorecards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

# As the schema had them in this version. What has been released is history and stays as it is.
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Create the table."""
    _create_scorecards()


def _create_scorecards() -> None:
    op.create_table(
        "quantconnect_scorecards",
        sa.Column("project_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("source_model", sa.Text(), primary_key=True),
        sa.Column("ticker", sa.Text(), primary_key=True),
        sa.Column("horizon", sa.Text(), primary_key=True),
        sa.Column("insights", sa.Integer(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("hit_rate", sa.Double()),
        sa.Column("hit_rate_low", sa.Double()),
        sa.Column("hit_rate_high", sa.Double()),
        sa.Column("mean_signed_return", sa.Double()),
        sa.Column("information_coefficient", sa.Double()),
        sa.Column("calibration", _JSON, nullable=False),
        sa.Column("computed_at", _TIME, nullable=False),
    )
