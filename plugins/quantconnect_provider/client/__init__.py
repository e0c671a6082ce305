"""QuantConnect's REST API v2, without Airflow.

>>> from quantconnect_provider.client import QuantConnectClient
>>> with QuantConnectClient(user_id=123456, api_token="...") as client:  # doctest: +SKIP
...     client.authenticate()

Names load when they are first used: DAG files and triggers import errors and models, which are light, and
must not pay for the HTTP library that the client brings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider._lazy import lazy_names

if TYPE_CHECKING:
    from quantconnect_provider.client.account import DEFAULT_BASE_URL, Account
    from quantconnect_provider.client.charts import Chart, Series
    from quantconnect_provider.client.client import QuantConnectClient
    from quantconnect_provider.client.insights import ExportedInsight, Insight, InsightPage
    from quantconnect_provider.client.live_list import LiveListing, UnreadDeployment
    from quantconnect_provider.client.live_request import LiveSpec
    from quantconnect_provider.client.models import (
        Compile,
        CreatedLive,
        LiveDeployment,
        LiveSummary,
        LogPage,
        Node,
        Nodes,
        Project,
    )
    from quantconnect_provider.client.orders import Order, OrderEvent, OrderPage
    from quantconnect_provider.client.portfolio import CashHolding, Holding, Portfolio
    from quantconnect_provider.client.retry_settings import RetrySettings
    from quantconnect_provider.client.throttle import LocalSlots, RequestSlots, Throttle
    from quantconnect_provider.client.trades import ClosedTrade, TradePage

__all__ = [
    "DEFAULT_BASE_URL",
    "Account",
    "CashHolding",
    "Chart",
    "ClosedTrade",
    "Compile",
    "CreatedLive",
    "ExportedInsight",
    "Holding",
    "Insight",
    "InsightPage",
    "LiveDeployment",
    "LiveListing",
    "LiveSpec",
    "LiveSummary",
    "LocalSlots",
    "LogPage",
    "Node",
    "Nodes",
    "Order",
    "OrderEvent",
    "OrderPage",
    "Portfolio",
    "Project",
    "QuantConnectClient",
    "RequestSlots",
    "RetrySettings",
    "Series",
    "Throttle",
    "TradePage",
    "UnreadDeployment",
]

__getattr__ = lazy_names(
    __name__,
    {
        "account": ("DEFAULT_BASE_URL", "Account"),
        "charts": ("Chart", "Series"),
        "client": ("QuantConnectClient",),
        "live_list": ("LiveListing", "UnreadDeployment"),
        "insights": ("ExportedInsight", "Insight", "InsightPage"),
        "live_request": ("LiveSpec",),
        "models": (
            "Compile",
            "CreatedLive",
            "LiveDeployment",
            "LiveSummary",
            "LogPage",
            "Node",
            "Nodes",
            "Project",
        ),
        "orders": ("Order", "OrderEvent", "OrderPage"),
        "portfolio": ("CashHolding", "Holding", "Portfolio"),
        "retry_settings": ("RetrySettings",),
        "throttle": ("LocalSlots", "RequestSlots", "Throttle"),
        "trades": ("ClosedTrade", "TradePage"),
    },
)
