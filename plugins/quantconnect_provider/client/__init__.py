"""QuantConnect's REST API v2, without Airflow.

>>> from quantconnect_provider.client import QuantConnectClient
>>> with QuantConnectClient(user_id=123456, api_token="...") as client:  # doctest: +SKIP
...     client.authenticate()
"""

from quantconnect_provider.client.account import DEFAULT_BASE_URL
from quantconnect_provider.client.client import QuantConnectClient
from quantconnect_provider.client.insights import ExportedInsight, Insight, InsightPage
from quantconnect_provider.client.models import (
    Compile,
    CreatedLive,
    LiveDeployment,
    LiveSpec,
    LiveSummary,
    LogPage,
    Node,
    Nodes,
    Project,
)
from quantconnect_provider.client.portfolio import CashHolding, Holding, Portfolio
from quantconnect_provider.client.throttle import LocalSlots, RequestSlots, Throttle
from quantconnect_provider.client.transport import RetrySettings

__all__ = [
    "DEFAULT_BASE_URL",
    "CashHolding",
    "Compile",
    "CreatedLive",
    "ExportedInsight",
    "Holding",
    "Insight",
    "InsightPage",
    "LiveDeployment",
    "LiveSpec",
    "LiveSummary",
    "LocalSlots",
    "LogPage",
    "Node",
    "Nodes",
    "Portfolio",
    "Project",
    "QuantConnectClient",
    "RequestSlots",
    "RetrySettings",
    "Throttle",
]
