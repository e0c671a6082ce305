"""live/chart/read."""

from __future__ import annotations

import pytest

DEFAULT = (
    "Strategy Equity", "Drawdown", "Benchmark", "Exposure", "Assets Sales Volume", "Portfolio Turnover",
    "Portfolio Margin",
)  # fmt: skip


@pytest.fixture
def running(start):
    """Starts a sandbox with a deployment that runs in project 7, and reads its charts."""

    def starter(**scenario):
        sandbox, api = start(scenario)
        deploy_id = api.create(7)["deployId"]
        sandbox.advance(10)

        def read(name="Strategy Equity", **fields):
            now = int(sandbox.now())
            whole = {"projectId": 7, "name": name, "start": now - 3600, "end": now + 1, "count": 100}
            return api("live/chart/read", **{**whole, **fields})

        return sandbox, deploy_id, read

    return starter


def series(answer, name):
    return answer["chart"]["series"][name]["values"]


@pytest.mark.parametrize("name", DEFAULT)
def test_every_default_chart_is_there(running, name):
    sandbox, deploy_id, read = running()
    sandbox.add_orders(deploy_id, 20)
    sandbox.advance(600)
    chart = read(name)["chart"]
    assert chart["name"] == name
    assert all(one["values"] for one in chart["series"].values())


def test_equity_is_candles_in_ascending_order(running):
    sandbox, deploy_id, read = running()
    sandbox.trade(deploy_id, "SPY R735QTJ8XC9X", 10, 100)
    sandbox.advance(1800)
    sandbox.drawdown(deploy_id, 0.1)
    sandbox.advance(600)
    values = series(read(), "Equity")
    assert [len(value) for value in values] == [5] * len(values)
    assert values == sorted(values)
    assert (values[0][1], values[-1][4]) == (100_000, pytest.approx(90_000))


def test_a_drawdown_shows_in_its_chart(running):
    sandbox, deploy_id, read = running()
    sandbox.advance(600)
    sandbox.drawdown(deploy_id, 0.25)
    sandbox.advance(600)
    points = series(read("Drawdown"), "Equity Drawdown")
    assert (points[0][1], points[-1][1]) == (0, pytest.approx(-25))


def test_no_more_points_than_asked_for(running):
    sandbox, _, read = running()
    sandbox.advance(3600)
    assert len(series(read(count=7), "Equity")) <= 7


@pytest.mark.parametrize("name", DEFAULT)
@pytest.mark.parametrize("ago", [86_400, -86_400])
def test_a_time_in_which_it_did_not_run_has_no_points(running, name, ago):
    sandbox, deploy_id, read = running()
    sandbox.trade(deploy_id, "SPY R735QTJ8XC9X", 1, 100)
    start = int(sandbox.now()) - ago
    chart = read(name, start=start, end=start + 600)["chart"]
    assert [one["values"] for one in chart["series"].values() if one["values"]] == []


def test_a_chart_of_the_algorithms_own(running):
    _, _, read = running(projects=[{"name": "Alpha", "id": 7, "deploy": {"charts": ["SMA"]}}])
    assert read("SMA")["chart"]["series"]["SMA"]["values"]


@pytest.mark.parametrize(
    "fields",
    [{"projectId": -1}, {"name": " "}, {"name": "None such"}, {"start": 10, "end": 5}, {"count": None}],
)
def test_a_request_that_cannot_be_right_is_refused(running, fields):
    _, _, read = running()
    assert read(**fields)["success"] is False


def test_the_first_reads_can_be_answered_by_loading(running):
    _, _, read = running(api={"charts": {"loading_reads": 1, "loading": "loading"}})
    assert read() == {"success": True, "progress": 0.4, "status": "loading"}
    assert read()["chart"]["name"] == "Strategy Equity"


def test_the_first_reads_can_find_no_chart(running):
    _, _, read = running(api={"charts": {"loading_reads": 1, "loading": "null"}})
    assert [read()["chart"] is None for _ in range(2)] == [True, False]


def test_there_is_no_candle_before_the_launch(start):
    sandbox, api = start()
    launched = int(sandbox.now())
    sandbox.deploy(7)
    sandbox.advance(600)
    times = {"start": launched - 3600, "end": launched + 600, "count": 42}
    answer = api("live/chart/read", projectId=7, name="Strategy Equity", **times)
    assert min(value[0] for value in series(answer, "Equity")) >= launched
