"""The operators for live deployments: make, read, list, end, portfolio, log. Each has a file of its own."""

from __future__ import annotations

from quantconnect_provider.operators.create_live import QuantConnectCreateLiveOperator
from quantconnect_provider.operators.liquidate_live import QuantConnectLiquidateLiveOperator
from quantconnect_provider.operators.list_live import QuantConnectListLiveOperator
from quantconnect_provider.operators.read_live import QuantConnectReadLiveOperator
from quantconnect_provider.operators.read_logs import QuantConnectReadLogsOperator
from quantconnect_provider.operators.read_portfolio import QuantConnectReadPortfolioOperator
from quantconnect_provider.operators.stop_live import QuantConnectStopLiveOperator

__all__ = [
    "QuantConnectCreateLiveOperator",
    "QuantConnectLiquidateLiveOperator",
    "QuantConnectListLiveOperator",
    "QuantConnectReadLiveOperator",
    "QuantConnectReadLogsOperator",
    "QuantConnectReadPortfolioOperator",
    "QuantConnectStopLiveOperator",
]
