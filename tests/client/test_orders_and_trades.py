"""Orders and closed trades in the forms in which the API may write them."""

from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.orders import Order
from quantconnect_provider.client.trades import ClosedTrade
from tests.client.scripted import Reply, ScriptedServer

SPY = {"value": "SPY", "id": "SPY R735QTJ8XC9X"}
QQQ = {"value": "QQQ", "id": "QQQ RIWIV7K5Z9LX"}


@pytest.fixture
def read_order(server: ScriptedServer, client: QuantConnectClient) -> Any:
    def read(**row: object) -> Order:
        server.script(Reply(body={"success": True, "orders": [{"id": 7, **row}]}))
        (order,) = client.read_orders(1, 0, 100).rows
        assert order is not None
        return order

    return read


@pytest.fixture
def read_trade(server: ScriptedServer, client: QuantConnectClient) -> Any:
    def read(**row: object) -> ClosedTrade:
        server.script(Reply(body={"success": True, "trades": [{"id": "t-1", **row}]}))
        (trade,) = client.read_trades(1, 0, 100).rows
        assert trade is not None
        return trade

    return read


@pytest.mark.parametrize(
    ("written", "status"),
    [(3, "filled"), ("3", "filled"), ("Filled", "filled"), (3.0, "filled"), (77, "77"), ("77", "77")],
)
def test_a_status_is_a_number_or_a_word(read_order: Any, written: object, status: str) -> None:
    assert read_order(status=written).status == status


def test_an_order_without_a_symbol_is_an_order(read_order: Any) -> None:
    order = read_order(status=3, symbol=None)
    assert (order.order_id, order.symbol_id, order.ticker, order.status) == (7, "", "", "filled")


def test_a_duration_may_be_a_number_of_seconds(read_trade: Any) -> None:
    assert read_trade(duration=61.5).duration_seconds == 61.5


def test_a_trade_of_several_securities_names_the_first_and_keeps_all(read_trade: Any) -> None:
    trade = read_trade(symbols=[SPY, QQQ])
    assert (trade.symbol_id, trade.ticker) == (SPY["id"], "SPY")
    assert trade.extra == {"symbols": [SPY, QQQ]}


@pytest.mark.parametrize("symbols", [None, [], {}])
def test_a_trade_without_a_symbol_is_a_trade(read_trade: Any, symbols: object) -> None:
    trade = read_trade(symbols=symbols, profitLoss=5)
    assert (trade.symbol_id, trade.ticker, trade.profit_loss) == ("", "", 5.0)


def test_a_symbol_that_cannot_be_read_is_kept_and_named(
    read_trade: Any, caplog: pytest.LogCaptureFixture
) -> None:
    trade = read_trade(symbols=[[1]], profitLoss=5)
    assert (trade.symbol_id, trade.profit_loss, trade.extra) == ("", 5.0, {"symbols": [[1]]})
    assert "'symbols'" in caplog.text


@pytest.mark.parametrize(
    ("events", "deploy_id"),
    [
        ([{"algorithmId": "L-1"}, {"algorithmId": ""}, {"algorithmId": 5}, {}, None], "L-1"),
        ([{"algorithmId": "L-1"}, {"algorithmId": "L-2"}], ""),
        ([{}], ""),
        (None, ""),
    ],
)
def test_a_trade_belongs_to_the_only_deployment_that_its_orders_name(
    read_trade: Any, events: object, deploy_id: str
) -> None:
    assert read_trade(orders=[{"id": 7, "events": events}, None]).deploy_id == deploy_id
