"""The endpoints, a module for each group of paths; importing this package registers all of them.

`lean_cli` holds those that only QuantConnect's command-line client requests.
"""

from __future__ import annotations

from quantconnect_provider.sandbox.endpoints import (
    authenticate,
    backtest_insights,
    builds,
    lean_cli,
    live_charts,
    live_commands,
    live_create,
    live_export,
    live_insights,
    live_logs,
    live_orders,
    live_portfolio,
    live_read,
    live_trades,
    live_update,
    project_nodes,
    projects,
)

__all__ = [
    "authenticate",
    "backtest_insights",
    "builds",
    "lean_cli",
    "live_charts",
    "live_commands",
    "live_create",
    "live_export",
    "live_insights",
    "live_logs",
    "live_orders",
    "live_portfolio",
    "live_read",
    "live_trades",
    "live_update",
    "project_nodes",
    "projects",
]
