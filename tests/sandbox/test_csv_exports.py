"""live/export/orders, live/export/trades and live/export/logs."""

from __future__ import annotations

import csv
import io

import pytest

SPY = "SPY R735QTJ8XC9X"


@pytest.fixture
def traded(start):
    """A sandbox whose clock began at a known time, its API and a deployment that bought and sold."""
    sandbox, api = start(
        {
            "clock": {"start": "2026-10-09T14:00:00Z", "speed": 0},
            "nodes": {"live": [{"name": "a"}, {"name": "b"}]},
        }
    )
    deploy_id = api.create(7)["deployId"]
    sandbox.advance(60)
    sandbox.trade(deploy_id, SPY, 10, 670.08, fee=1)
    sandbox.advance(3600)
    sandbox.trade(deploy_id, SPY, -10, 672.61, fee=1)
    return sandbox, api, deploy_id


def rows(response):
    return list(csv.DictReader(io.StringIO(response.text)))


def test_trades_are_written_as_documented(traded):
    _, api, _ = traded
    response = api.post("live/export/trades", projectId=7)
    header, row = response.text.splitlines()
    assert response.headers["content-type"] == "text/csv"
    assert header == (
        "Entry Time,Symbols,Exit Time,Direction,Entry Price,Exit Price,Quantity,P&L,Fees,MAE,MFE,Drawdown,"
        "IsWin,Order Ids"
    )
    assert row == (
        '2026-10-09T14:01:00.0000000Z,"SPY",2026-10-09T15:01:00.0000000Z,Buy,670.08,672.61,10,25.3,2,0,25.3,0,1,'
        '"\t1,2"'
    )


def test_trades_are_filtered_by_entry(traded):
    sandbox, api, _ = traded
    assert rows(api.post("live/export/trades", projectId=7, start=int(sandbox.now()) - 60)) == []


def test_orders_are_written_by_column_name(traded):
    _, api, _ = traded
    first, second = rows(api.post("live/export/orders", projectId=7))
    assert first == {
        "Time": "2026-10-09T14:01:00.0000000Z", "Symbol": "SPY", "Price": "670.08", "Quantity": "10",
        "Type": "Market", "Status": "Filled", "Value": "6700.8", "Tag": "",
    }  # fmt: skip
    assert second["Quantity"] == "-10"


def test_orders_of_several_deployments_say_which(traded):
    sandbox, api, first = traded
    sandbox.set_status(first, "Stopped")
    second = api.create(7)["deployId"]
    sandbox.trade(second, SPY, 1, 100)
    assert [row["Deploy"] for row in rows(api.post("live/export/orders", projectId=7))] == [
        first,
        first,
        second,
    ]


def test_orders_are_filtered_by_time(traded):
    sandbox, api, _ = traded
    found = rows(api.post("live/export/orders", projectId=7, start=int(sandbox.now()) - 60))
    assert [row["Quantity"] for row in found] == ["-10"]


def test_logs_are_a_text_file_of_all_deployments(traded):
    sandbox, api, first = traded
    sandbox.set_status(first, "Stopped")
    second = api.create(7)["deployId"]
    response = api.post("live/export/logs", projectId=7, deployId=first)
    assert f"algorithm-log_{first}.txt" in response.headers["content-disposition"]
    assert response.text.splitlines() == [line for d in sandbox.deployments() for line in d["logs"]]
    assert second in response.text


def test_more_than_45_log_exports_in_half_an_hour_are_refused(traded):
    sandbox, api, deploy_id = traded
    for _ in range(45):
        assert api.post("live/export/logs", projectId=7, deployId=deploy_id).text.startswith("Launching")
    refused = api("live/export/logs", projectId=7, deployId=deploy_id)
    sandbox.advance(1801)
    allowed = api.post("live/export/logs", projectId=7, deployId=deploy_id)
    assert (refused["success"], allowed.text[:9]) == (False, "Launching")


@pytest.mark.parametrize("name", ["orders", "trades", "logs"])
def test_an_export_of_an_unknown_project_is_refused(start, name):
    _, api = start()
    assert api(f"live/export/{name}", projectId=8, deployId="L-1")["success"] is False


def test_an_export_of_many_orders_has_every_row_once(traded):
    sandbox, api, deploy_id = traded
    sandbox.add_orders(deploy_id, 1100)
    sandbox.advance(86_400)
    assert len(rows(api.post("live/export/orders", projectId=7))) == 1102
