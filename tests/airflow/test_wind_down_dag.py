"""The DAG quantconnect_wind_down, run through Airflow against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from quantconnect_provider.client import QuantConnectClient, RetrySettings
from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.dag_support.wind_down import choose, sum_up
from quantconnect_provider.live.wind_down.holdings import WindDownResult
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed
from tests.airflow.conftest import Run, answering, sent

STOP, LIQUIDATE = "live/update/stop", "live/update/liquidate"
FORM = {"action": "stop", "approval": "auto"}


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
    quantconnect_sandbox.add_fault(STOP, project_id=1003, times=None, errors=["Not your project."])
    run = wind_down(project_ids=[1003, 1002])
    assert run.state == "failed"
    assert run.states["stop[0]"] == "failed"
    assert run.states["stop[1]"] == "success"
    assert "Not wound down: 1003 (live/update/stop" in run.log
    assert run.log.rpartition("Not wound down")[2].count("Not your project") == 1
    assert "1 of 2 projects are wound down" in run.log


def test_a_task_that_dies_without_a_word_is_named(caplog: pytest.LogCaptureFixture) -> None:
    targets = [{"project_id": 1003, "name": "Holding"}]
    with pytest.raises(AirflowFailException, match=r"1003 \(its task ended without a result, see its log\)"):
        sum_up(targets, {"asked": False}, [])


@pytest.mark.parametrize("left", [None, [], [{"quantity": "3.0", "symbol": "META (FB V6OIPNZEM8V9)"}]])
def test_the_summary_tells_unknown_holdings_from_none(caplog: pytest.LogCaptureFixture, left: Any) -> None:
    caplog.set_level("INFO")
    result = WindDownResult(1003, "L-1", "liquidate", "Liquidated").to_json()
    sum_up([{"project_id": 1003, "name": "Holding"}], {"asked": False}, [{**result, "holdings_left": left}])
    says = "could not be read" if left is None else "3.0 META (FB V6OIPNZEM8V9)" if left else "none"
    assert says in caplog.text
    assert ("none" in caplog.text) == (left == [])
    assert "1 of 1 project is wound down" in caplog.text


@pytest.mark.parametrize("entry", [1001, "1001", " 1001 "])
def test_a_project_that_was_never_deployed_is_refused_before_anything_is_sent(
    wind_down: Callable[..., Run], quantconnect_sandbox: Any, entry: Any
) -> None:
    run = wind_down(project_ids=[entry, 1002])
    assert run.states["choose"] == "failed"
    assert "Projects: project 1001 (Idle) never had a live deployment" in run.log
    assert sent(quantconnect_sandbox, STOP) == 0


def test_an_unknown_project_is_refused_before_anything_is_sent(
    wind_down: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    run = wind_down(project_ids=["4711", "1002"])
    assert run.states["choose"] == "failed"
    assert "Projects: there is no project 4711 in this account" in run.log
    assert sent(quantconnect_sandbox, STOP) == 0


def test_a_deployment_is_named_with_its_project_alone(
    wind_down: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    run = wind_down(project_ids=[1002, 1003], deploy_id="L-1")
    assert run.states["choose"] == "failed"
    assert "Deployment (deploy_id) is given. Then name its project alone under Projects." in run.log
    assert sent(quantconnect_sandbox, STOP) == 0


def test_ids_from_the_form_are_text_one_a_line(wind_down: Callable[..., Run]) -> None:
    run = wind_down(project_ids=["1002", " 1003", ""])
    assert run.names["stop"] == ["Trading", "Holding"]
    assert run.state == "success"


def test_deployments_that_cannot_be_listed_are_chosen_all_the_same(
    quantconnect_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect() -> QuantConnectClient:
        sandbox = quantconnect_sandbox
        retry = RetrySettings(attempts=1)
        return QuantConnectClient(sandbox.user_id, sandbox.api_token, sandbox.base_url, retry=retry)

    monkeypatch.setattr("quantconnect_provider.dag_support.wind_down.connect", connect)
    quantconnect_sandbox.add_fault("live/list", times=None, status=200, body="html")
    form = {**FORM, "project_ids": [1002]}

    assert choose(form) == [{"project_id": 1002, "name": "Trading"}]
    with pytest.raises(QuantConnectTaskFailed, match="project 1001"):
        choose({**form, "project_ids": [1001]})
    with pytest.raises(UnreadableAnswerError):  # all running: unknown is not nothing
        choose({**form, "project_ids": None, "all_running": True})


def test_nothing_runs(wind_down: Callable[..., Run]) -> None:
    wind_down(all_running=True)
    run = wind_down(all_running=True)
    assert run.state == "success"
    assert "No live deployment runs: nothing was sent." in run.log


def test_the_page_says_what_is_sold_and_that_a_login_is_needed(
    wind_down: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    quantconnect_sandbox.deploy(1001, brokerage={"id": "TradierBrokerage"})
    with answering("Approve") as asked:
        run = wind_down(project_ids=[1001], action="liquidate")
    body = asked[0]["body"]
    assert asked[0]["subject"] == "Liquidate 1 live deployment: project 1001?"
    assert body.splitlines()[0].startswith(r"- Account: user \*\*\*, connection quantconnect\_default")
    assert "**Approve with a login.**" in body
    assert run.log.count("SOLD") == 0  # the log has plain text


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
    assert "Projects" in run.log
    assert "All running" in run.log
    assert run.states["summary"] == "failed"
    assert quantconnect_sandbox.requests() == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"project_ids": [1002], "all_running": True}, "names projects, and All running"),
        ({"project_ids": ["Trading"]}, "Projects: "),
    ],
)
def test_a_form_that_cannot_be_right_is_refused_before_anything_is_asked(
    quantconnect_sandbox: Any, fields: dict[str, Any], says: str
) -> None:
    with pytest.raises(QuantConnectTaskFailed, match=says):
        choose({**FORM, **fields})
    assert quantconnect_sandbox.requests() == []


def test_a_row_that_names_no_project_is_warned_of(
    quantconnect_sandbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    nameless = {"live": [{"status": "Running"}, {"status": "Stopped"}]}
    quantconnect_sandbox.set_api(overlays=[{"endpoint": "live/list", "fields": nameless}])
    assert choose({**FORM, "all_running": True}) == []
    assert caplog.text.count("may be a deployment that runs, and names no project") == 1


def test_a_list_that_is_refused_for_good_chooses_nothing(quantconnect_sandbox: Any) -> None:
    quantconnect_sandbox.add_fault("live/list", times=None, errors=["Hash doesn't match. UID: 1"])
    with pytest.raises(QuantConnectTaskFailed, match="Hash"):
        choose({**FORM, "project_ids": [1002]})


def test_a_project_that_cannot_be_checked_is_chosen(
    quantconnect_sandbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    quantconnect_sandbox.add_fault("live/read", project_id=1001, times=None, errors=["Not today."])
    assert choose({**FORM, "project_ids": [1001]}) == [{"project_id": 1001, "name": "Idle"}]
    assert "Project 1001 could not be checked" in caplog.text
