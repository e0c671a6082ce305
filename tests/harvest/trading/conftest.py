from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quantconnect_provider.harvest import Store
from quantconnect_provider.harvest.trading.engine import harvest_trading
from quantconnect_provider.harvest.trading.options import TradingOptions
from quantconnect_provider.harvest.trading.report import TradingReport
from tests.harvest.trading.fake_trading import FakeTrading

Night = Callable[..., TradingReport]


@pytest.fixture
def api() -> FakeTrading:
    return FakeTrading()


@pytest.fixture
def night(store: Store) -> Night:
    """Harvest everything that the API lists."""

    def run(api: FakeTrading, **options: Any) -> TradingReport:
        return harvest_trading(
            api, store, api.list_live(), TradingOptions(**options), clock=api.clock, sleep=api.sleep
        )

    return run
