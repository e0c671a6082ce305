"""What goes wrong while the status stays Running: drawdown, silence, a lost connection."""

from __future__ import annotations

import pytest


def busy(start, **deploy):
    """Start a sandbox with a deployment that logs, trades and predicts every minute."""
    project = {
        "name": "Alpha",
        "id": 7,
        "deploy": {"log_every_seconds": 60, **deploy},
        "orders": {"every_seconds": 60},
        "insights": {"growth": {"every_seconds": 60}},
    }
    sandbox, api = start({"projects": [project]})
    deploy_id = sandbox.deploy(7)
    sandbox.advance(10)
    return sandbox, api, deploy_id


def signs_of_life(sandbox, deploy_id):
    (deployment,) = sandbox.deployments()
    return len(deployment["logs"]), len(sandbox.orders(deploy_id)), deployment["insights"]


def logs(sandbox):
    return [line.split(" ", 2)[-1] for line in sandbox.deployments()[0]["logs"]]


def status(api):
    return api("live/read", projectId=7)["status"]


@pytest.mark.parametrize("by", ["verb", "scenario"])
def test_a_stale_algorithm_does_nothing_more_and_stays_running(start, by):
    sandbox, api, deploy_id = busy(start, **({"stale_after_seconds": 600} if by == "scenario" else {}))
    sandbox.advance(600)
    if by == "verb":
        sandbox.go_stale(deploy_id)
    sandbox.advance(60)
    before = signs_of_life(sandbox, deploy_id)
    sandbox.advance(86_400)
    assert signs_of_life(sandbox, deploy_id) == before
    assert min(before) >= 9
    assert status(api) == "Running"


def test_the_equity_of_a_stale_algorithm_ends(start):
    sandbox, api, deploy_id = busy(start)
    sandbox.go_stale(deploy_id)
    since = sandbox.now()
    sandbox.advance(86_400)
    fields = {"name": "Strategy Equity", "start": int(since), "end": int(sandbox.now()), "count": 100}
    values = api("live/chart/read", projectId=7, **fields)["chart"]["series"]["Equity"]["values"]
    assert all(value[0] <= since + 1 for value in values)


def test_a_stale_algorithm_can_still_be_stopped(start):
    sandbox, api, deploy_id = busy(start)
    sandbox.go_stale(deploy_id)
    api("live/update/stop", projectId=7)
    sandbox.advance(10)
    assert status(api) == "Stopped"


@pytest.mark.parametrize("by", ["verb", "scenario"])
def test_a_disconnected_algorithm_says_so_in_its_log_alone(start, by):
    sandbox, api, deploy_id = busy(start, **({"disconnect_after_seconds": 600} if by == "scenario" else {}))
    sandbox.advance(600)
    if by == "verb":
        sandbox.disconnect(deploy_id)
    sandbox.advance(300)
    assert "Check phone for two-factor authentication" in logs(sandbox)
    assert "Orders cannot be submitted when disconnected" in logs(sandbox)
    assert {order["status"] for order in sandbox.orders(deploy_id)[-3:]} == {7}
    assert status(api) == "Running"


def test_a_connection_can_come_back(start):
    sandbox, _, deploy_id = busy(start)
    sandbox.disconnect(deploy_id)
    sandbox.reconnect(deploy_id)
    sandbox.trade(deploy_id, "SPY R735QTJ8XC9X", 1, 100)
    assert sandbox.orders(deploy_id)[-1]["status"] == 3


@pytest.mark.parametrize("fraction", [0.1, 0.5, 1])
def test_a_drawdown_costs_this_fraction_of_equity(start, fraction):
    sandbox, api = start()
    sandbox.drawdown(sandbox.deploy(7), fraction)
    assert api("live/list")["live"][0]["equity"] == pytest.approx(100_000 * (1 - fraction), abs=0.01)


def test_a_drawdown_is_a_trade_that_lost(start):
    sandbox, _ = start()
    deploy_id = sandbox.deploy(7)
    sandbox.drawdown(deploy_id, 0.2)
    (trade,) = sandbox.trades(deploy_id)
    assert trade["profitLoss"] - trade["totalFees"] == pytest.approx(-20_000)


def test_a_scenario_can_have_a_drawdown(start):
    deploy = {"drawdown": {"after_seconds": 600, "fraction": 0.3}}
    sandbox, api = start({"projects": [{"name": "Alpha", "id": 7, "deploy": deploy}]})
    sandbox.deploy(7)
    sandbox.advance(700)
    assert api("live/list")["live"][0]["equity"] == pytest.approx(70_000, abs=0.01)


def test_an_algorithm_can_die_at_a_time(start):
    project = {"name": "A", "id": 7, "deploy": {"runtime_error": {"after_seconds": 60}}}
    sandbox, api = start({"projects": [{**project, "deployments": [{"status": "Running"}]}]})
    seen = [status(api)]
    sandbox.advance(61)
    assert [*seen, status(api)] == ["Running", "RuntimeError"]


def test_an_account_with_nothing_in_it_has_nothing_to_lose(start):
    sandbox, _ = start()
    deploy_id = sandbox.deploy(7)
    sandbox.set_cash(deploy_id, [{"currency": "USD", "amount": 0}])
    sandbox.drawdown(deploy_id, 0.5)
    assert sandbox.orders(deploy_id) == []
