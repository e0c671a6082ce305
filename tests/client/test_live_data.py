"""Orders, trades, charts, commands, exports and logs: what is asked for, and what odd values cost."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import (
    InvalidSettingError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    StillLoadingError,
    UnreachableError,
    UnreadableAnswerError,
)
from tests.client.odd import odd_values, with_odd_value
from tests.client.scripted import Reply, ScriptedServer

EVENT = {
    "id": "L-1-7-2",
    "algorithmId": "L-1",
    "orderId": 7,
    "orderEventId": 2,
    "symbol": "SPY R735QTJ8XC9X",
    "symbolValue": "SPY",
    "time": 1795530660.5,
    "status": "filled",
    "orderFeeAmount": 1.0,
    "orderFeeCurrency": "USD",
    "fillPrice": 590.1,
    "fillPriceCurrency": "USD",
    "fillQuantity": -10.0,
    "direction": "sell",
    "isAssignment": False,
}
ORDER = {
    "type": 2,
    "id": 7,
    "symbol": {"value": "SPY", "id": "SPY R735QTJ8XC9X", "permtick": "SPY"},
    "price": 590.1,
    "priceCurrency": "USD",
    "createdTime": "2026-11-24T14:31:00.1234567Z",
    "quantity": -10.0,
    "status": 3,
    "securityType": 1,
    "direction": 1,
    "value": -5901.0,
    "events": [EVENT],
}
TRADE = {
    "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "symbols": [{"value": "SPY", "id": "SPY R735QTJ8XC9X", "permtick": "SPY"}],
    "entryTime": "2026-11-24T14:31:00Z",
    "exitTime": "2026-11-25T14:31:01Z",
    "direction": 1,
    "quantity": 10,
    "duration": "1.00:00:01.5",
    "isWin": True,
    "orderIds": [7, 8],
    "orders": [ORDER],
}


def answer(**fields: Any) -> Reply:
    return Reply(body={"success": True, **fields})


def test_an_order_is_read_with_its_fill(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(answer(orders=[ORDER], length=35))
    page = client.read_orders(1, 0, 1000)
    (order,) = page.rows
    assert order is not None
    assert page.length == 35
    assert (order.order_id, order.order_type, order.status, order.direction) == (
        7, "stopMarket", "filled", "sell",
    )  # fmt: skip
    assert (order.symbol_id, order.ticker, order.security_type) == ("SPY R735QTJ8XC9X", "SPY", "equity")
    assert order.created_at == datetime(2026, 11, 24, 14, 31, 0, 123456, tzinfo=timezone.utc)
    assert (order.deploy_id, order.is_final) == ("L-1", True)
    (event,) = order.events
    assert (event.event_id, event.fill_quantity, event.fill_price, event.fee) == (2, -10.0, 590.1, 1.0)
    assert server.asked[0].body == {"projectId": 1, "start": 0, "end": 1000}


def test_an_event_in_the_old_spelling_is_the_same(server: ScriptedServer, client: QuantConnectClient) -> None:
    old = {
        "id": "L-1-7-2",
        "algorithm-id": "L-1",
        "order-id": 7,
        "fill-price": 590.1,
        "fill-quantity": -10,
        "order-fee-amount": "1",
        "status": "Filled",
    }
    server.script(answer(orders=[{**ORDER, "events": [old]}]))
    (order,) = client.read_orders(1, 0, 100).rows
    assert order is not None
    (event,) = order.events
    assert (event.event_id, event.deploy_id, event.fill_quantity, event.fee, event.status) == (
        2, "L-1", -10.0, 1.0, "filled",
    )  # fmt: skip


@pytest.mark.parametrize("row", [None, 5, "order", [], {}, {**ORDER, "id": None}, {**ORDER, "id": {}}])
def test_an_order_that_cannot_be_read_keeps_its_place(
    server: ScriptedServer, client: QuantConnectClient, row: object, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(answer(orders=[row, ORDER]))
    unread, read = client.read_orders(1, 0, 100).rows
    assert unread is None
    assert read is not None
    assert "the row is set aside" in caplog.text


@pytest.mark.parametrize(
    ("field", "value"), [("orders", None), ("orders", "none"), ("orders", 0), ("ordres", [])]
)
def test_an_answer_without_a_list_of_orders_is_not_an_empty_one(
    server: ScriptedServer, client: QuantConnectClient, field: str, value: object
) -> None:
    server.script(*[answer(**{field: value})] * 3)
    with pytest.raises(UnreadableAnswerError, match="without a list of orders"):
        client.read_orders(1, 0, 100)


@pytest.mark.parametrize("quantity", ["many", [], float("nan")])
def test_an_event_whose_fill_cannot_be_read_does_not_pass_for_none(
    server: ScriptedServer, client: QuantConnectClient, quantity: object
) -> None:
    server.script(answer(orders=[{**ORDER, "events": [EVENT, {**EVENT, "fillQuantity": quantity}]}]))
    (order,) = client.read_orders(1, 0, 100).rows
    assert order is not None
    assert (len(order.events), order.unread_events, order.is_final) == (1, 1, False)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(sorted({*ORDER} - {"id"})), value=odd_values)
def test_an_odd_value_costs_only_its_field(
    server: ScriptedServer, client: QuantConnectClient, field: str, value: bytes
) -> None:
    response = {"success": True, "orders": [ORDER, ORDER]}
    server.script(with_odd_value(response, ("orders", 0, field), value))
    odd, good = client.read_orders(1, 0, 100).rows
    assert odd is not None
    assert odd.order_id == 7
    assert good is not None
    assert good.quantity == -10.0


def test_a_closed_trade_is_read(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(answer(trades=[TRADE, None], length=2))
    page = client.read_trades(1, 0, 1000)
    trade, unread = page.rows
    assert (unread, page.length) == (None, 2)
    assert trade is not None
    assert (trade.deploy_id, trade.symbol_id, trade.direction) == ("L-1", "SPY R735QTJ8XC9X", "short")
    assert (trade.duration_seconds, trade.order_ids, trade.is_win) == (86_401.5, [7, 8], True)
    assert "deployId" not in server.asked[0].body


def test_trades_of_one_deployment_are_asked_for_by_its_id(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(answer(trades=[]))
    client.read_trades(1, 0, 1000, "L-1")
    assert server.asked[0].body["deployId"] == "L-1"


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ([[10, 1.5], [20, None]], [[10.0, 1.5], [20.0, None]]),
        ([[10, 1, 2, 0.5, None]], [[10.0, 1.0, 2.0, 0.5, None]]),
        ([{"x": 10, "y": 1}], [[10.0, 1.0]]),
        ([[10, 1], "odd", [None, 1], [30, 3]], [[10.0, 1.0], [30.0, 3.0]]),
    ],
)
def test_points_of_a_chart_come_in_one_shape(
    server: ScriptedServer, client: QuantConnectClient, values: object, points: object
) -> None:
    series = {"name": "Equity", "unit": "$", "index": 0, "seriesType": 2, "values": values}
    server.script(answer(chart={"name": "Strategy Equity", "chartType": 0, "series": {"Equity": series}}))
    chart = client.read_chart(1, "Strategy Equity", 100, 0, 1000)
    assert (chart.name, chart.series["Equity"].points) == ("Strategy Equity", points)


@pytest.mark.parametrize("body", [{"chart": None}, {"progress": 0.4, "status": "loading"}])
def test_a_chart_that_is_not_made_yet_is_loading(
    server: ScriptedServer, client: QuantConnectClient, body: dict[str, Any]
) -> None:
    server.default = lambda asked: answer(**body)
    with pytest.raises(StillLoadingError):
        client.read_chart(1, "Strategy Equity", 100, 0, 1000)


@pytest.mark.parametrize(("value", "read"), [({"0": 7, "2": 8}, [7, 8]), ("7, 8", []), ({"0": [7, 8]}, [])])
def test_the_orders_of_a_closed_trade_come_as_a_list_or_by_index(
    server: ScriptedServer, client: QuantConnectClient, value: object, read: list[int]
) -> None:
    server.script(answer(trades=[{**TRADE, "orderIds": value}]))
    (trade,) = client.read_trades(1, 0, 100).rows
    assert trade is not None
    assert trade.order_ids == read
    assert trade.extra == ({} if read else {"orderIds": value})


@pytest.mark.parametrize("loading", [{"chart": None}, {"progress": 0.4, "status": "loading"}])
def test_a_chart_that_is_being_made_is_waited_for(
    server: ScriptedServer, client: QuantConnectClient, loading: dict[str, Any]
) -> None:
    server.script(answer(**loading), answer(**loading), answer(chart={"name": "Drawdown", "series": {}}))
    assert client.read_chart(1, "Drawdown", 100, 0, 1000).name == "Drawdown"
    assert len(server.asked) == 3


def test_a_command_without_a_clear_answer_is_never_sent_again(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(Reply(drop=True))
    with pytest.raises(OutcomeUnknownError):
        client.create_command(1, {"text": "foo"})
    assert [asked.body for asked in server.asked] == [{"projectId": 1, "command": {"text": "foo"}}]


def test_a_broadcast_goes_to_the_organization_of_the_connection(
    server: ScriptedServer, make_client: Any
) -> None:
    client = make_client(organization_id="5cad178b20a1d52567b534553413b691")
    client.broadcast_command({"text": "foo"}, exclude_project_id=3)
    assert server.asked[0].body == {
        "organizationId": "5cad178b20a1d52567b534553413b691",
        "command": {"text": "foo"},
        "excludeProjectId": 3,
    }


def test_a_broadcast_without_an_organization_is_not_sent(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    with pytest.raises(InvalidSettingError, match="organization"):
        client.broadcast_command({"text": "foo"})
    assert server.asked == []


def test_an_export_is_what_came(server: ScriptedServer, client: QuantConnectClient) -> None:
    body = b"Time,Symbol\n" + b"2026-11-24,SPY\n" * 50_000
    server.script(Reply(body=body))
    pieces = list(client.export_orders(1, start=5))
    assert b"".join(pieces) == body
    assert len(pieces) > 1
    assert server.asked[0].body == {"projectId": 1, "start": 5}


def test_an_error_instead_of_an_export_is_raised(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(Reply(body={"success": False, "errors": ["Not allowed."]}))
    with pytest.raises(RefusedError, match="Not allowed"):
        list(client.export_trades(1))


@pytest.mark.parametrize("body", [b"{ not JSON", b'{"a": 1}\n2026 more', b""])
def test_a_file_that_begins_like_an_error_is_none(
    server: ScriptedServer, client: QuantConnectClient, body: bytes
) -> None:
    server.script(Reply(body=body))
    assert b"".join(client.export_logs(1, "L-1")) == body


def test_an_export_that_breaks_off_is_an_error(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(Reply(body=b"line\n" * 1000, cut_at=100))
    with pytest.raises(UnreachableError):
        list(client.export_orders(1))


def test_a_46th_export_of_logs_is_not_sent(server: ScriptedServer, client: QuantConnectClient) -> None:
    for _ in range(45):
        list(client.export_logs(1, "L-1"))
    with pytest.raises(RateLimitedError, match="45 exports") as refused:
        client.export_logs(1, "L-1")
    assert len(server.asked) == 45
    assert 1700 < (refused.value.retry_after_seconds or 0) <= 1800


def test_log_lines_are_asked_for_by_window_and_text(
    server: ScriptedServer, client: QuantConnectClient
) -> None:
    server.script(answer(logs=["a", "b"], length=1000, deploymentOffset=400))
    page = client.read_live_logs(1, "L-1", 400, 650, query="Error")
    assert (page.lines, page.length, page.deployment_offset) == (["a", "b"], 1000, 400)
    assert server.asked[0].body == {
        "format": "json",
        "projectId": 1,
        "algorithmId": "L-1",
        "startLine": 400,
        "endLine": 650,
        "query": "Error",
    }


def test_insights_of_a_backtest_are_read(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(answer(insights=[{"id": "a" * 32, "sourceModel": "Alpha"}], length=1))
    page = client.read_backtest_insights(1, "b1", 0, 100)
    assert page.rows[0] is not None
    assert page.rows[0].insight_id == "a" * 32
    assert server.asked[0].body == {"projectId": 1, "backtestId": "b1", "start": 0, "end": 100}


@pytest.mark.parametrize("name", ["orders", "trades", "chart"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=odd_values)
def test_whatever_comes_is_read_or_a_clear_error(
    server: ScriptedServer, client: QuantConnectClient, name: str, value: bytes
) -> None:
    reply = with_odd_value({"success": True, name: None}, (name,), value)
    server.default = lambda asked: reply
    with suppress(UnreadableAnswerError, StillLoadingError):
        if name == "orders":
            assert isinstance(client.read_orders(1, 0, 100).rows, list)
        elif name == "trades":
            assert isinstance(client.read_trades(1, 0, 100).rows, list)
        else:
            assert isinstance(client.read_chart(1, "a", 1, 0, 1).series, dict)
