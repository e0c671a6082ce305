"""The client, the harvest and the sandbox together, in each reading of what is not documented."""

from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.client import QuantConnectClient, RetrySettings
from quantconnect_provider.harvest import Store
from quantconnect_provider.harvest.trading import TradingOptions, harvest_trading
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.store.events import list_open_events
from quantconnect_provider.store.trading_tables import orders, positions, trades
from tests.harvest.trading.contents import stored

READINGS = [
    {},
    {"orders": {"window": 100}, "trades": {"window": 100}},
    {"orders": {"loading_reads": 2}, "trades": {"loading_reads": 2}},
    {"orders": {"loading_reads": 2, "loading": "loading"}},
    {"orders": {"length": "page", "past_end": "error"}, "trades": {"past_end": "clamp"}},
]


@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_what_the_sandbox_traded_is_stored(reading: dict[str, Any], store: Store) -> None:
    past = {"status": "Stopped", "orders": {"history": {"count": 40}}}
    present = {"status": "Running", "orders": {"history": {"count": 170}}}
    project = {"name": "Alpha", "id": 7, "deployments": [past, present]}
    with (
        Sandbox({"clock": {"speed": 0}, "projects": [project], "api": reading}) as sandbox,
        QuantConnectClient(
            sandbox.user_id, sandbox.api_token, sandbox.base_url, retry=RetrySettings(loading_seconds=0.01)
        ) as client,
    ):
        for _ in range(2):
            options = TradingOptions(loading_seconds=0.15)
            report = harvest_trading(client, store, client.list_live(), options)
            report.raise_if_failed()
        held = client.read_portfolio(7)
        closed = client.read_trades(7, 0, 100)
    places = stored(store, orders, "position", "order_id")
    assert places == [(n, n + 1) for n in range(40)] + [(n + 40, n + 1) for n in range(170)]
    assert len(stored(store, trades, "trade_id")) == closed.length
    assert {row[0] for row in stored(store, positions, "symbol")} == {*held.cash, *held.holdings}
    assert list_open_events(store) == []
    assert report.counts()["updated"] == 0
