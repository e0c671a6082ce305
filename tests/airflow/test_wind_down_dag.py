"""The DAG quantconnect_wind_down, run through Airflow against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.airflow.conftest import Run, answering, sent

STOP, LIQUIDATE = "live/update/stop", "live/update/liquidate"


@pytest.fixture
def wind_down(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> Callable[..., Run]:
    return lambda **conf: run_dag("quantconnect_wind_down", **conf)


def test_all_running_are_stopped_and_keep_their_holdings(
    wind_down: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    run = wind_down(all_running=True)
    assert run.state == "success"
    assert run.names["stop"] == ["Trading", "Holding"]
    assert run.states["liquidate"] == "skipped"
    assert {each["status"] for each in quantconnect_sandbox.deployments()} == {"Stopped"}
    assert quantconnect_sandbox.deployments(1003)[0]["holdings"]
    assert "2 of 2 projects are wound down" in run.log


def test_liquidating_asks_first_and_reports_what_is_left(
    wind_down: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    with answering("Approve") as asked:
        run = wind_down(project_ids=[1003], action="liquidate")
    assert run.state == "success"
    assert "3.0 SPY" in asked[0]["body"]
    [deployment] = quantconnect_sandbox.deployments(1003)
    assert deployment["status"] == "Liquidated"
    assert run.xcoms["liquidate[0].return_value"]["flat"] is True


def test_rejected_liquidation_sends_nothing(wind_down: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    with answering("Reject", user="Bob"):
        run = wind_down(project_ids=[1003], action="liquidate")
    assert run.states["summary"] == "skipped"
    assert "Rejected by Bob" in run.log
    assert sent(quantconnect_sandbox, LIQUIDATE) == sent(quantconnect_sandbox, STOP) == 0


def test_one_that_fails_stops_no_other(wind_down: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = wind_down(project_ids=[1001, 1002])
    assert run.state == "failed"
    assert run.states["stop[0]"] == "failed"
    assert run.states["stop[1]"] == "success"
    assert "project 1001 never had a live deployment" in run.log.lower()
    assert "Not wound down: 1001" in run.log


def test_project_that_is_over_counts_as_done(
    wind_down: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    assert wind_down(project_ids=[1002]).state == "success"
    run = wind_down(project_ids=[1002])
    assert run.state == "success"
    assert run.xcoms["stop[0].return_value"]["already_over"] is True
    assert sent(quantconnect_sandbox, STOP) == 1


def test_nothing_named_is_refused_before_anything_is_asked(
    wind_down: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    run = wind_down()
    assert run.states["choose"] == "failed"
    assert "project_ids is empty" in run.log
    assert run.states["summary"] == "failed"
    assert quantconnect_sandbox.requests() == []
