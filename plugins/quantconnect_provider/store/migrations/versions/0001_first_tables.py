"""The first tables: insights, deployments with their resume state, harvests."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

# As schema.py had it in this version. What has been released is history and stays as it is.
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_NEVER_EXPIRES = "2050-01-01 00:00:00+00:00"


def upgrade() -> None:
    """Create everything."""
    _create_insights()
    op.create_table(
        "quantconnect_deployments",
        sa.Column("deploy_id", sa.Text(), primary_key=True),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        *_columns(sa.Text(), "project_name", "status", "brokerage"),
        *_columns(_TIME, "launched_at", "stopped_at"),
        sa.Column("observed_at", _TIME, nullable=False),
        sa.Column("last_position", sa.Integer()),
        sa.Column("last_insight_id", sa.Text()),
        *_columns(_TIME, "complete_at", "full_at", "settled_at"),
        sa.Column("page_size", sa.Integer()),
    )
    op.create_index("ix_quantconnect_deployments_project_id", "quantconnect_deployments", ["project_id"])
    op.create_table(
        "quantconnect_harvests",
        sa.Column("harvest_id", sa.Text(), primary_key=True),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("deploy_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text()),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("requests", "read", "inserted", "updated")
        ),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", sa.Text()),
    )
    for column in ("project_id", "run_id"):
        op.create_index(f"ix_quantconnect_harvests_{column}", "quantconnect_harvests", [column])


def _create_insights() -> None:
    table = "quantconnect_insights"
    op.create_table(
        table,
        sa.Column("project_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("insight_id", sa.Text(), primary_key=True),
        sa.Column("deploy_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer()),
        *_columns(_TIME, "generated_at", "closes_at"),
        *_columns(sa.Text(), "symbol", "ticker", "insight_type", "direction"),
        *_columns(sa.Double(), "period_seconds", "magnitude", "confidence", "weight"),
        *_columns(sa.Double(), "reference_value", "reference_value_final"),
        sa.Column("score_is_final", sa.Boolean()),
        *_columns(sa.Double(), "score_direction", "score_magnitude", "estimated_value"),
        *_columns(sa.Text(), "source_model", "group_id", "tag"),
        sa.Column("extra", _JSON, nullable=False),
        sa.Column("first_seen_at", _TIME, nullable=False),
        sa.Column("observed_at", _TIME, nullable=False),
    )
    op.create_index(f"{table}_position", table, ["deploy_id", "position"])
    for name, column, condition in (
        ("closing", "closes_at", f"closes_at < '{_NEVER_EXPIRES}'"),
        ("unexpiring", "generated_at", f"(closes_at IS NULL OR closes_at >= '{_NEVER_EXPIRES}')"),
    ):
        where = sa.text(condition)
        op.create_index(
            f"{table}_{name}", table, ["deploy_id", column], sqlite_where=where, postgresql_where=where
        )


def _columns(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name in names]
