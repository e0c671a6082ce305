"""Tables of what deployments traded: orders, fills, closed trades, positions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, Table, Text

from quantconnect_provider.store.schema import Json, Time, metadata

orders = Table(
    "quantconnect_orders",
    metadata,
    # Order ids restart at 1 with each deployment.
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("deploy_id", Text, primary_key=True),
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    # Where the order stands among those of all deployments of the project.
    Column("position", Integer),
    Column("symbol", Text),
    Column("ticker", Text),
    Column("security_type", Text),
    Column("order_type", Text),
    Column("direction", Text),
    Column("status", Text),
    Column("quantity", Double),
    Column("price", Double),
    Column("currency", Text),
    Column("value", Double),
    Column("limit_price", Double),
    Column("stop_price", Double),
    Column("trigger_price", Double),
    Column("tag", Text),
    Column("created_at", Time),
    Column("last_fill_at", Time),
    Column("last_update_at", Time),
    Column("canceled_at", Time),
    Column("extra", Json, nullable=False),
    Column("first_seen_at", Time, nullable=False),
    Column("observed_at", Time, nullable=False),
    Index("quantconnect_orders_deployment", "deploy_id", "created_at"),
    Index("quantconnect_orders_position", "project_id", "position"),
)

fills = Table(
    "quantconnect_fills",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("deploy_id", Text, primary_key=True),
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
    Column("filled_at", Time),
    Column("symbol", Text),
    Column("ticker", Text),
    # Signed: a sale is negative.
    Column("quantity", Double, nullable=False),
    Column("price", Double),
    Column("currency", Text),
    Column("fee", Double),
    Column("fee_currency", Text),
    Column("is_assignment", Boolean),
    Column("message", Text),
    Column("first_seen_at", Time, nullable=False),
    Column("observed_at", Time, nullable=False),
    Index("quantconnect_fills_time", "deploy_id", "filled_at"),
)

trades = Table(
    "quantconnect_trades",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("trade_id", Text, primary_key=True),
    Column("deploy_id", Text),
    Column("position", Integer),
    Column("symbol", Text),
    Column("ticker", Text),
    Column("direction", Text),
    # Unsigned: the direction says which way.
    Column("quantity", Double),
    Column("entered_at", Time),
    Column("exited_at", Time),
    Column("duration_seconds", Double),
    Column("entry_price", Double),
    Column("exit_price", Double),
    # Before fees, in the account's currency.
    Column("profit_loss", Double),
    Column("fees", Double),
    Column("mae", Double),
    Column("mfe", Double),
    Column("end_drawdown", Double),
    Column("is_win", Boolean),
    Column("order_ids", Json, nullable=False),
    Column("extra", Json, nullable=False),
    Column("first_seen_at", Time, nullable=False),
    Column("observed_at", Time, nullable=False),
    Index("quantconnect_trades_exit", "deploy_id", "exited_at"),
)

positions = Table(
    "quantconnect_positions",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    # The security id; a currency's code for cash.
    Column("symbol", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("deploy_id", Text),
    Column("ticker", Text),
    Column("quantity", Double, nullable=False),
    Column("average_price", Double),
    Column("market_price", Double),
    Column("market_value", Double),
    Column("unrealized", Double),
    Column("currency", Text),
    Column("conversion_rate", Double),
    Column("observed_at", Time, nullable=False),
)
