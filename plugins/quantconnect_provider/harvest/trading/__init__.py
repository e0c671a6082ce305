"""The harvest of what deployments traded: orders, fills, closed trades, positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider._lazy import lazy_names

if TYPE_CHECKING:
    from quantconnect_provider.harvest.trading.engine import harvest_trading
    from quantconnect_provider.harvest.trading.options import TradingOptions
    from quantconnect_provider.harvest.trading.report import ProjectResult, TradingReport

__all__ = ["ProjectResult", "TradingOptions", "TradingReport", "harvest_trading"]

__getattr__ = lazy_names(
    __name__,
    {
        "engine": ("harvest_trading",),
        "options": ("TradingOptions",),
        "report": ("ProjectResult", "TradingReport"),
    },
)
