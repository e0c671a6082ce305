"""live/orders/read: which orders, in which windows, and rows that agree with their events."""

from __future__ import annotations

import pytest

NODES = {"live": [{"name": "a"}, {"name": "b"}]}


@pytest.fixture
def traded(start):
    """Starts a sandbox whose project 7 has a deployment with `count` orders that are all over."""

    def starter(count=60, api=None, **orders):
        project = {"name": "Alpha", "id": 7, "orders": orders}
        sandbox, read = start({"nodes": NODES, "projects": [project], "api": api or {}})
        deploy_id = read.create(7)["deployId"]
        sandbox.advance(10)
        for _ in range(count):
            sandbox.add_orders(deploy_id)
            sandbox.advance(7)
        sandbox.advance(60)
        return sandbox, read, deploy_id

    return starter


def read(api, start=0, end=1000, **fields):
    return api("live/orders/read", projectId=7, start=start, end=end, **fields)


def test_an_order_has_the_fields_that_the_api_documents(traded):
    _, api, deploy_id = traded(1)
    (order,) = read(api)["orders"]
    assert order["id"] == 1
    assert set(order["symbol"]) == {"value", "id", "permtick"}
    assert order["events"][0]["id"] == f"{deploy_id}-1-1"
    assert order["events"][0]["algorithmId"] == deploy_id
    assert isinstance(order["events"][0]["time"], float)
    assert order["properties"] == {"timeInForce": {}}


def test_every_kind_of_course_is_there(traded):
    _, api, _ = traded(120)
    orders = read(api)["orders"]
    assert {order["status"] for order in orders} == {3, 5, 7}
    assert {order["type"] for order in orders} == {0, 1, 2}
    assert {order["direction"] for order in orders} == {0, 1}
    assert any(len([e for e in order["events"] if e["fillQuantity"]]) > 1 for order in orders)


def test_an_order_agrees_with_its_events(traded):
    _, api, _ = traded()
    names = {"filled": 3, "canceled": 5, "invalid": 7}
    for order in read(api)["orders"]:
        filled = sum(event["fillQuantity"] for event in order["events"])
        value = sum(event["fillQuantity"] * event["fillPrice"] for event in order["events"])
        assert order["value"] == pytest.approx(value)
        assert order["status"] == names[order["events"][-1]["status"]]
        if order["status"] == 3:
            assert filled == pytest.approx(order["quantity"])
        assert all("orderFeeAmount" in event for event in order["events"] if event["fillQuantity"])


def test_an_order_that_is_open_is_seen_to_fill(start):
    sandbox, api = start({"projects": [{"name": "Alpha", "id": 7, "orders": {"immediate": 60}}]})
    sandbox.deploy(7)
    sandbox.advance(1.2)
    seen = {order["status"] for order in read(api)["orders"]}
    sandbox.advance(60)
    assert 1 in seen
    assert not {1, 2} & {order["status"] for order in read(api)["orders"]}


def test_the_portfolio_is_what_the_fills_make_of_it(traded):
    _, api, _ = traded()
    fills = [(e["symbol"], e) for o in read(api)["orders"] for e in o["events"] if e["fillQuantity"]]
    portfolio = api("live/portfolio/read", projectId=7)["portfolio"]
    spent = sum(e["fillQuantity"] * e["fillPrice"] + e["orderFeeAmount"] for _, e in fills)
    quantities = {symbol: 0.0 for symbol, _ in fills}
    for symbol, event in fills:
        quantities[symbol] += event["fillQuantity"]
    assert portfolio["cash"]["USD"]["amount"] == pytest.approx(100_000 - spent)
    held = {symbol: quantity for symbol, quantity in quantities.items() if abs(quantity) > 1e-9}
    assert {symbol: item["q"] for symbol, item in portfolio["holdings"].items()} == pytest.approx(held)


def test_runtime_statistics_agree_with_the_fills(traded):
    _, api, _ = traded()
    fees = sum(e.get("orderFeeAmount", 0) for o in read(api)["orders"] for e in o["events"])
    statistics = api("live/read", projectId=7)["runtimeStatistics"]
    assert statistics["Fees"] == f"-${fees:,.2f}"
    assert statistics["Equity"] == f"${api('live/list')['live'][0]['equity']:,.2f}"


def test_ids_begin_anew_with_each_deployment_and_rows_are_in_launch_order(traded):
    sandbox, api, first = traded(3)
    sandbox.set_status(first, "Stopped")
    second = api.create(7)["deployId"]
    sandbox.add_orders(second, 2)
    answer = read(api, algorithmId=second)
    assert [(o["events"][0]["algorithmId"], o["id"]) for o in answer["orders"]] == [
        (first, 1), (first, 2), (first, 3), (second, 1), (second, 2),
    ]  # fmt: skip


def test_length_is_the_total_and_pages_are_positions(traded):
    _, api, _ = traded(5)
    answer = read(api, 3, 5)
    assert ([order["id"] for order in answer["orders"]], answer["length"]) == ([4, 5], 5)


@pytest.mark.parametrize(
    ("window", "end", "success"), [(1000, 1000, True), (1000, 1001, False), (100, 101, False)]
)
def test_a_window_that_is_too_wide_is_refused(traded, window, end, success):
    _, api, _ = traded(1, {"orders": {"window": window}})
    assert read(api, 0, end)["success"] is success


@pytest.mark.parametrize(("reading", "ids"), [("empty", []), ("clamp", [4, 5])])
def test_a_start_past_the_end_is_as_configured(traded, reading, ids):
    _, api, _ = traded(5, {"orders": {"past_end": reading}})
    assert [order["id"] for order in read(api, 8, 10)["orders"]] == ids


def test_a_start_past_the_end_can_be_an_error(traded):
    _, api, _ = traded(5, {"orders": {"past_end": "error"}})
    assert read(api, 8, 10)["success"] is False


def test_the_first_reads_can_find_an_empty_cache(traded):
    _, api, _ = traded(2, {"orders": {"loading_reads": 2}})
    assert [len(read(api)["orders"]) for _ in range(3)] == [0, 0, 2]


def test_the_first_reads_can_be_answered_by_loading(traded):
    _, api, _ = traded(2, {"orders": {"loading_reads": 1, "loading": "loading"}})
    first, second = read(api), read(api)
    assert first == {"success": True, "progress": 0.4, "status": "loading"}
    assert second["length"] == 2


def test_orders_can_lag_behind_until_the_stop(start):
    sandbox, api = start({"api": {"orders": {"refresh_seconds": 600}}})
    deploy_id = sandbox.deploy(7)
    sandbox.advance(10)
    sandbox.add_orders(deploy_id)
    seen = [read(api)["length"]]
    sandbox.set_status(deploy_id, "Stopped")
    assert [*seen, read(api)["length"]] == [0, 1]


def test_rows_can_have_more_fields(traded):
    _, api, _ = traded(1, {"orders": {"extra_fields": {"mood": "good"}}})
    assert read(api)["orders"][0]["mood"] == "good"


def test_a_running_algorithm_places_orders_at_intervals(start):
    orders = {"immediate": 2, "every_seconds": 60}
    sandbox, api = start({"projects": [{"name": "Alpha", "id": 7, "orders": orders}]})
    deploy_id = sandbox.deploy(7)
    sandbox.advance(1.2 + 600)
    assert read(api)["length"] == 12
    sandbox.set_status(deploy_id, "Stopped")
    sandbox.advance(600)
    assert read(api)["length"] == 12


def test_orders_can_be_there_from_the_start(start):
    deployments = [{"status": "Running", "orders": {"history": {"count": 250, "every_seconds": 60}}}]
    sandbox, api = start({"projects": [{"name": "Alpha", "id": 7, "deployments": deployments}]})
    orders = read(api)["orders"]
    assert len(orders) == 250
    assert orders[0]["time"] < orders[-1]["time"]
    assert orders[-1]["events"][-1]["time"] <= sandbox.now()


def test_the_same_seed_gives_the_same_orders(traded):
    one, other = traded(20), traded(20)

    def essence(case):
        return [(o["symbol"]["id"], o["quantity"], len(o["events"])) for o in read(case[1])["orders"]]

    assert essence(one) == essence(other)


def test_liquidation_sells_by_orders(start):
    holdings = [{"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 2, "averagePrice": 10}]
    sandbox, api = start({"projects": [{"name": "Alpha", "id": 7, "holdings": holdings}]})
    api.create(7)
    sandbox.advance(10)
    api("live/update/liquidate", projectId=7)
    sandbox.advance(10)
    (order,) = read(api)["orders"]
    assert (order["quantity"], order["status"], order["tag"]) == (-2, 3, "Liquidated")


@pytest.mark.parametrize("fields", [{"projectId": -1}, {"start": 5, "end": 4}, {"start": -1}])
def test_a_request_that_cannot_be_right_is_refused(traded, fields):
    _, api, _ = traded(1)
    assert api("live/orders/read", **{"projectId": 7, "start": 0, "end": 10, **fields})["success"] is False
