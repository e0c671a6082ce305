"""What each brokerage needs, and how its connection becomes what live/create is sent."""

from quantconnect_provider.live.brokerages.settings import (
    BrokerageSettings,
    brokerage_settings,
    data_provider_settings,
    is_paper,
    paper_settings,
)

__all__ = [
    "BrokerageSettings",
    "brokerage_settings",
    "data_provider_settings",
    "is_paper",
    "paper_settings",
]
