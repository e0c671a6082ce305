"""live/trades/read, and that trades follow from fills."""

from __future__ import annotations

import pytest

SPY = "SPY R735QTJ8XC9X"


@pytest.fixture
def traded(start):
    """A sandbox, its API and a deployment that bought 10 in two parts and sold them at once."""
    sandbox, api = start({"nodes": {"live": [{"name": "a"}, {"name": "b"}]}})
    deploy_id = api.create(7)["deployId"]
    sandbox.advance(10)
    sandbox.trade(deploy_id, SPY, 4, 100, fee=1)
    sandbox.advance(3600)
    sandbox.trade(deploy_id, SPY, 6, 110, fee=3)
    sandbox.advance(90)
    sandbox.trade(deploy_id, SPY, -10, 105, fee=5)
    return sandbox, api, deploy_id


def read(api, **fields):
    return api("live/trades/read", **{"projectId": 7, "start": 0, "end": 1000, **fields})


def test_each_exit_is_matched_with_the_oldest_entries(traded):
    _, api, _ = traded
    rows = read(api)["trades"]
    seen = [
        (
            r["quantity"],
            r["entryPrice"],
            r["exitPrice"],
            r["profitLoss"],
            r["totalFees"],
            r["isWin"],
            r["duration"],
        )
        for r in rows
    ]
    assert seen == [
        (4, 100, 105, 20, 3, True, "01:01:30"),
        (6, 110, 105, -30, 6, False, "00:01:30"),
    ]


def test_a_trade_names_its_orders_and_holds_them(traded):
    _, api, _ = traded
    (first, _) = read(api)["trades"]
    assert first["orderIds"] == [1, 3] == [order["id"] for order in first["orders"]]
    assert (first["direction"], first["symbols"][0]["id"]) == (0, SPY)
    assert [len(part) for part in first["id"].split("-")] == [8, 4, 4, 4, 12]


def test_a_short_position_is_a_trade_too(traded):
    sandbox, api, deploy_id = traded
    sandbox.trade(deploy_id, SPY, -3, 100)
    sandbox.trade(deploy_id, SPY, 3, 90)
    last = read(api)["trades"][-1]
    assert (last["direction"], last["quantity"], last["profitLoss"]) == (1, 3, 30)


def test_an_order_may_turn_a_position_round(traded):
    sandbox, api, deploy_id = traded
    sandbox.trade(deploy_id, SPY, 3, 100)
    sandbox.trade(deploy_id, SPY, -5, 101)
    sandbox.trade(deploy_id, SPY, 2, 99)
    assert [(r["direction"], r["quantity"]) for r in read(api)["trades"][2:]] == [(0, 3), (1, 2)]
    assert api("live/portfolio/read", projectId=7)["portfolio"]["holdings"] == {}


def test_trades_are_filtered_by_deployment(traded):
    sandbox, api, first = traded
    sandbox.set_status(first, "Stopped")
    second = api.create(7)["deployId"]
    assert [read(api, deployId=one)["length"] for one in (first, second)] == [2, 0]
    assert read(api)["length"] == 2


def test_a_null_deployment_is_refused(traded):
    _, api, _ = traded
    assert read(api, deployId=None)["success"] is False


def test_windows_and_loading_are_those_of_orders(traded):
    sandbox, api, _ = traded
    sandbox.set_api(trades={"window": 100, "loading_reads": 1, "loading": "loading"})
    assert read(api, end=101)["success"] is False
    assert read(api, end=1)["status"] == "loading"
    answer = read(api, end=1)
    assert (len(answer["trades"]), answer["length"]) == (1, 2)


def test_profits_and_fees_add_up_to_the_cash(traded):
    sandbox, api, deploy_id = traded
    for _ in range(80):
        sandbox.add_orders(deploy_id)
        sandbox.advance(40)
    for item in sandbox.deployments()[0]["holdings"]:
        sandbox.trade(deploy_id, item["symbolId"], -item["quantity"], item["price"])
    rows = read(api)["trades"]
    profit = sum(row["profitLoss"] - row["totalFees"] for row in rows)
    cash = api("live/portfolio/read", projectId=7)["portfolio"]["cash"]["USD"]["amount"]
    assert len(rows) > 20
    assert cash - 100_000 == pytest.approx(profit, abs=0.01)


def test_a_short_position_gains_when_the_price_falls(traded):
    sandbox, api, deploy_id = traded
    sandbox.set_holdings(deploy_id, [{"symbol": "SPY", "quantity": -2, "averagePrice": 100, "price": 90}])
    holding = api("live/portfolio/read", projectId=7)["portfolio"]["holdings"]["SPY"]
    assert (holding["v"], holding["u"], holding["up"]) == (-180, 20, 10)
