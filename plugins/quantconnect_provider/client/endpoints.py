"""The endpoints of the REST API v2 that this package uses, and what may be repeated.

https://www.quantconnect.com/docs/v2/cloud-platform/api-reference
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Endpoint:
    """One endpoint.

    :param path: below the base URL.
    :param repeat_safe: sending it twice does no more than sending it once. stop and liquidate are not
        listed as safe although the API treats them as idempotent: they take a project id only, so a late
        repeat could hit a newer deployment.
    :param timeout_factor: multiplies the connection's timeout where the API is known to be slow, or where
        an unclear outcome costs more than waiting.
    :param is_result: whether a response with ``success`` false is still what was asked for.
    :param is_loading: whether a response says, in a way of its own, that the data is still being made.
    """

    path: str
    repeat_safe: bool = True
    timeout_factor: float = 1.0
    is_result: Callable[[dict[str, Any]], bool] = lambda payload: False
    is_loading: Callable[[dict[str, Any]], bool] = lambda payload: False


def _is_failed_build(payload: dict[str, Any]) -> bool:
    state = payload.get("state")
    return state == "BuildError" or (not state and bool(payload.get("logs")))


def _has_no_chart_yet(payload: dict[str, Any]) -> bool:
    return "chart" in payload and payload["chart"] is None


AUTHENTICATE = Endpoint("authenticate")
PROJECTS_READ = Endpoint("projects/read")
NODES_READ = Endpoint("projects/nodes/read")
COMPILE_CREATE = Endpoint("compile/create")
COMPILE_READ = Endpoint("compile/read", is_result=_is_failed_build)
LIVE_CREATE = Endpoint("live/create", repeat_safe=False, timeout_factor=4)
LIVE_READ = Endpoint("live/read")
LIVE_LIST = Endpoint("live/list", timeout_factor=2)
LIVE_STOP = Endpoint("live/update/stop", repeat_safe=False, timeout_factor=2)
LIVE_LIQUIDATE = Endpoint("live/update/liquidate", repeat_safe=False, timeout_factor=2)
INSIGHTS_READ = Endpoint("live/insights/read")
INSIGHTS_EXPORT = Endpoint("live/export/insights", timeout_factor=20)
PORTFOLIO_READ = Endpoint("live/portfolio/read")
LOGS_READ = Endpoint("live/logs/read")
ORDERS_READ = Endpoint("live/orders/read", timeout_factor=2)
TRADES_READ = Endpoint("live/trades/read", timeout_factor=2)
CHART_READ = Endpoint("live/chart/read", is_loading=_has_no_chart_yet)
COMMAND_CREATE = Endpoint("live/commands/create", repeat_safe=False)
COMMAND_BROADCAST = Endpoint("live/commands/broadcast", repeat_safe=False)
ORDERS_EXPORT = Endpoint("live/export/orders", timeout_factor=20)
TRADES_EXPORT = Endpoint("live/export/trades", timeout_factor=20)
LOGS_EXPORT = Endpoint("live/export/logs", timeout_factor=20)
BACKTEST_INSIGHTS_READ = Endpoint("backtests/insights/read")
