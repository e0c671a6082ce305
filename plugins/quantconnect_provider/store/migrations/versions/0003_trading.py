"""Orders, fills, closed trades and positions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

# As the schema had them in this version. What has been released is history and stays as it is.
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Create the tables of what was traded."""
    _create_orders()
    _create_fills()
    _create_trades()
    _create_positions()
    op.add_column("quantconnect_deployments", sa.Column("trading_complete_at", _TIME))


def _create_orders() -> None:
    op.create_table(
        "quantconnect_orders",
        sa.Column("project_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("deploy_id", sa.Text(), primary_key=True),
        sa.Column("order_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer()),
        sa.Column("symbol", sa.Text()),
        sa.Column("ticker", sa.Text()),
        sa.Column("security_type", sa.Text()),
        sa.Column("order_type", sa.Text()),
        sa.Column("direction", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("quantity", sa.Double()),
        sa.Column("price", sa.Double()),
        sa.Column("currency", sa.Text()),
        sa.Column("value", sa.Double()),
        sa.Column("limit_price", sa.Double()),
        sa.Column("stop_price", sa.Double()),
        sa.Column("trigger_price", sa.Double()),
        sa.Column("tag", sa.Text()),
        sa.Column("created_at", _TIME),
        sa.Column("last_fill_at", _TIME),
        sa.Column("last_update_at", _TIME),
        sa.Column("canceled_at", _TIME),
        sa.Column("extra", _JSON, nullable=False),
        sa.Column("first_seen_at", _TIME, nullable=False),
        sa.Column("observed_at", _TIME, nullable=False),
    )
    op.create_index("quantconnect_orders_deployment", "quantconnect_orders", ["deploy_id", "created_at"])
    op.create_index("quantconnect_orders_position", "quantconnect_orders", ["project_id", "position"])


def _create_fills() -> None:
    op.create_table(
        "quantconnect_fills",
        sa.Column("project_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("deploy_id", sa.Text(), primary_key=True),
        sa.Column("order_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("filled_at", _TIME),
        sa.Column("symbol", sa.Text()),
        sa.Column("ticker", sa.Text()),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("price", sa.Double()),
        sa.Column("currency", sa.Text()),
        sa.Column("fee", sa.Double()),
        sa.Column("fee_currency", sa.Text()),
        sa.Column("is_assignment", sa.Boolean()),
        sa.Column("message", sa.Text()),
        sa.Column("first_seen_at", _TIME, nullable=False),
        sa.Column("observed_at", _TIME, nullable=False),
    )
    op.create_index("quantconnect_fills_time", "quantconnect_fills", ["deploy_id", "filled_at"])


def _create_trades() -> None:
    op.create_table(
        "quantconnect_trades",
        sa.Column("project_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("trade_id", sa.Text(), primary_key=True),
        sa.Column("deploy_id", sa.Text()),
        sa.Column("position", sa.Integer()),
        sa.Column("symbol", sa.Text()),
        sa.Column("ticker", sa.Text()),
        sa.Column("direction", sa.Text()),
        sa.Column("quantity", sa.Double()),
        sa.Column("entered_at", _TIME),
        sa.Column("exited_at", _TIME),
        sa.Column("duration_seconds", sa.Double()),
        sa.Column("entry_price", sa.Double()),
        sa.Column("exit_price", sa.Double()),
        sa.Column("profit_loss", sa.Double()),
        sa.Column("fees", sa.Double()),
        sa.Column("mae", sa.Double()),
        sa.Column("mfe", sa.Double()),
        sa.Column("end_drawdown", sa.Double()),
        sa.Column("is_win", sa.Boolean()),
        sa.Column("order_ids", _JSON, nullable=False),
        sa.Column("extra", _JSON, nullable=False),
        sa.Column("first_seen_at", _TIME, nullable=False),
        sa.Column("observed_at", _TIME, nullable=False),
    )
    op.create_index("quantconnect_trades_exit", "quantconnect_trades", ["deploy_id", "exited_at"])


def _create_positions() -> None:
    op.create_table(
        "quantconnect_positions",
        sa.Column("project_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("symbol", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("deploy_id", sa.Text()),
        sa.Column("ticker", sa.Text()),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("average_price", sa.Double()),
        sa.Column("market_price", sa.Double()),
        sa.Column("market_value", sa.Double()),
        sa.Column("unrealized", sa.Double()),
        sa.Column("currency", sa.Text()),
        sa.Column("conversion_rate", sa.Double()),
        sa.Column("observed_at", _TIME, nullable=False),
    )
