"""Equity, events, and what the watch must remember from one cycle to the next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

# As the schema had them in this version. What has been released is history and stays as it is.
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Create the tables of the watch."""
    _create_equity()
    _create_events()
    _create_watched()
    _create_live_requests()


def _create_equity() -> None:
    op.create_table(
        "quantconnect_equity",
        sa.Column("deploy_id", sa.Text(), primary_key=True),
        sa.Column("observed_at", _TIME, primary_key=True),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text()),
        sa.Column("equity", sa.Double()),
        sa.Column("unrealized", sa.Double()),
        sa.Column("holdings", sa.Double()),
        sa.Column("net_profit", sa.Double()),
        sa.Column("fees", sa.Double()),
        sa.Column("volume", sa.Double()),
        sa.Column("return_fraction", sa.Double()),
        sa.Column("sharpe_probability", sa.Double()),
    )


def _create_events() -> None:
    op.create_table(
        "quantconnect_events",
        sa.Column("event_id", sa.Text(), primary_key=True),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("deploy_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("detail", _JSON, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("resolved_at", _TIME),
        sa.Column("observed_at", _TIME, nullable=False),
        sa.Column("notified_at", _TIME),
        sa.Column("notify_attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("notify_tried_at", _TIME),
        sa.Column("delivered_to", _JSON),
        sa.Column("action", sa.Text()),
        sa.Column("acted_at", _TIME),
        sa.Column("action_run_id", sa.Text()),
    )
    op.create_index(
        "quantconnect_events_deployment", "quantconnect_events", ["deploy_id", "kind", "opened_at"]
    )
    op.create_index("quantconnect_events_open", "quantconnect_events", ["resolved_at", "opened_at"])


def _create_watched() -> None:
    op.create_table(
        "quantconnect_watched",
        sa.Column("deploy_id", sa.Text(), primary_key=True),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("observed_at", _TIME, nullable=False),
        sa.Column("is_known", sa.Boolean(), nullable=False),
        sa.Column("equity", sa.Double()),
        sa.Column("peak_equity", sa.Double()),
        sa.Column("security_types", sa.Text()),
        sa.Column("alive_at", _TIME),
        sa.Column("log_line", sa.Integer()),
        sa.Column("insights", sa.Integer()),
        sa.Column("log_read_at", _TIME),
        sa.Column("insights_read_at", _TIME),
        sa.Column("statistics_read_at", _TIME),
    )


def _create_live_requests() -> None:
    op.create_table(
        "quantconnect_live_requests",
        sa.Column("project_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("requested_at", _TIME, primary_key=True),
        sa.Column("action", sa.Text(), primary_key=True),
        sa.Column("deploy_id", sa.Text()),
        sa.Column("run_id", sa.Text()),
    )
    op.create_index("quantconnect_live_requests_deployment", "quantconnect_live_requests", ["deploy_id"])
