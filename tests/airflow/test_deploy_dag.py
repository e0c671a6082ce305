"""The DAG quantconnect_deploy, run through Airflow against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.airflow.conftest import FAST, IB_CONNECTION, Run, answering, sent

DEPLOY = "quantconnect_deploy"


@pytest.fixture
def deploy(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> Callable[..., Run]:
    return lambda **conf: run_dag(DEPLOY, **conf)


def test_paper_deployment_runs_without_asking(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = deploy(project_id=1001)
    assert run.state == "success"
    [deployment] = quantconnect_sandbox.deployments(1001)
    assert deployment["status"] == "Running"
    assert run.xcoms["deploy[-1].return_value"]["deploy_id"] == deployment["deploy_id"]
    assert "No approval is needed" in run.log


def test_plan_is_logged_once_as_a_plain_table(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = deploy(project_id=1001, cash=[{"currency": "USD", "amount": 1234.5}])
    shown = [line for line in run.log.splitlines() if "1234.5 USD" in line]
    # The harness collects what is printed and what is logged, and a line may come by either way or both.
    assert shown
    assert len([line for line in shown if "[info" in line]) <= 1
    assert len([line for line in shown if line.startswith("INFO")]) <= 1
    assert "**paper money**" not in run.log
    assert "| --- |" not in run.log


def test_node_that_does_not_exist_fails_the_plan(
    deploy: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    run = deploy(project_id=1001, node_id="fourth")
    assert run.states["plan"] == "failed"
    assert "There is no live node 'fourth'" in run.log
    assert 'node_id is "Live node"' in run.log
    assert sent(quantconnect_sandbox, "compile/create") == 0


def test_params_reach_the_api(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = deploy(
        project_id=1001,
        cash=[{"currency": "USD", "amount": 1234.5}],
        parameters={"ema-fast": "10"},
        automatic_redeploy=True,
        node_id="first",
    )
    assert run.state == "success"
    [deployment] = quantconnect_sandbox.deployments(1001)
    request = deployment["request"]
    assert request["versionId"] == "-1"
    assert request["parameters"] == {"ema-fast": "10"}
    assert request["automaticRedeploy"] is True
    assert deployment["cash"] == {"USD": 1234.5}


def test_build_error_shows_the_compilers_lines(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    quantconnect_sandbox.configure_project(
        1001, build={"polls": 1, "result": "BuildError", "logs": ["main.py(3): name 'slef' is not defined"]}
    )
    run = deploy(project_id=1001)
    assert run.states["compile"] == "failed"
    assert "name 'slef' is not defined" in run.log
    assert sent(quantconnect_sandbox, "live/create") == 0


def test_no_free_node_is_retried_and_named(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    for node in quantconnect_sandbox.nodes():
        quantconnect_sandbox.set_node_busy(node["id"], used_by="ann")
    run = deploy(project_id=1001)
    assert run.states["deploy"] == "failed"
    assert "None of the 3 live nodes is free" in run.log
    assert sent(quantconnect_sandbox, "live/create") == 0


def test_failed_start_shows_message_and_log(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    fail = {"status": "DeployError", "message": "login refused", "logs": ["the last log line"]}
    deploy_settings = {**FAST["defaults"]["deploy"], "fail": fail}  # type: ignore[index]
    quantconnect_sandbox.configure_project(1001, deploy=deploy_settings)
    run = deploy(project_id=1001)
    assert run.states["deploy"] == "failed"
    assert "login refused" in run.log
    assert "the last log line" in run.log
    assert sent(quantconnect_sandbox, "live/create") == 1


def test_running_project_is_left_alone(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = deploy(project_id=1002)
    assert run.states["plan"] == "failed"
    assert "is live already" in run.log
    assert "If the project is live already" in run.log
    assert sent(quantconnect_sandbox, "compile/create") == 0
    assert sent(quantconnect_sandbox, "live/create") == 0
    assert sent(quantconnect_sandbox, "live/update/stop") == 0


def test_running_project_is_adopted(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = deploy(project_id=1002, if_running="adopt")
    assert run.state == "success"
    assert run.xcoms["deploy[-1].return_value"]["how"] == "adopted"
    assert sent(quantconnect_sandbox, "live/create") == 0


def test_redeploy_carries_the_holdings(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = deploy(project_id=1003, if_running="redeploy")
    assert run.state == "success"
    old, new = quantconnect_sandbox.deployments(1003)
    assert (old["status"], new["status"]) == ("Stopped", "Running")
    assert [(held["symbol"], held["quantity"]) for held in new["holdings"]] == [("SPY", 3)]


def test_lost_answer_to_create_makes_one_deployment(
    deploy: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    quantconnect_sandbox.add_fault("live/create", when="after", drop=True)
    run = deploy(project_id=1001)
    assert run.state == "success"
    [deployment] = quantconnect_sandbox.deployments(1001)
    assert run.xcoms["deploy[-1].return_value"] == {
        "project_id": 1001,
        "deploy_id": deployment["deploy_id"],
        "status": "Running",
        "how": "found",
    }


def test_real_money_waits_for_a_person(
    deploy: Callable[..., Run], quantconnect_sandbox: Any, connection: Callable[..., None]
) -> None:
    connection("ib", IB_CONNECTION)
    with answering("Approve", user="Alice") as asked:
        run = deploy(project_id=1001, brokerage_conn_id="ib")
    assert run.state == "success"
    assert "REAL MONEY" in asked[0]["body"]
    assert "REAL MONEY" in asked[0]["subject"]
    opening = asked[0]["body"].split("\n\n")[0].replace("\\", "")
    assert "account ***567 at Interactive Brokers, connection ib" in opening
    assert "connection quantconnect_default" in opening
    assert "Approve with a login" in asked[0]["body"]
    assert "U1234567" not in asked[0]["body"] + run.log
    assert "Approved by Alice" in run.log
    assert run.xcoms["approve[-1].return_value"]["approved_by"] == "Alice"


def test_rejected_deployment_sends_nothing(
    deploy: Callable[..., Run], quantconnect_sandbox: Any, connection: Callable[..., None]
) -> None:
    connection("ib", IB_CONNECTION)
    with answering("Reject", user="Bob"):
        run = deploy(project_id=1001, brokerage_conn_id="ib")
    assert run.states["compile"] == run.states["deploy"] == "skipped"
    assert "Rejected by Bob. Nothing was sent." in run.log
    assert run.xcoms["approve[-1].return_value"]["approved"] is False
    assert sent(quantconnect_sandbox, "compile/create") == sent(quantconnect_sandbox, "live/create") == 0


def test_unanswered_deployment_sends_nothing(
    deploy: Callable[..., Run], quantconnect_sandbox: Any, connection: Callable[..., None]
) -> None:
    connection("ib", IB_CONNECTION)
    with answering(None):
        run = deploy(project_id=1001, brokerage_conn_id="ib")
    assert run.state == "failed"
    assert "No answer within" in run.log
    assert sent(quantconnect_sandbox, "live/create") == 0


def test_anonymous_approval_of_real_money_is_refused(
    deploy: Callable[..., Run], quantconnect_sandbox: Any, connection: Callable[..., None]
) -> None:
    connection("ib", IB_CONNECTION)
    with answering("Approve", user="Anonymous"):
        run = deploy(project_id=1001, brokerage_conn_id="ib")
    assert run.states["approve"] == "failed"
    assert "without a login" in run.log
    assert sent(quantconnect_sandbox, "live/create") == 0


def test_anonymous_approval_of_paper_is_taken(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    with answering("Approve", user="Anonymous"):
        run = deploy(project_id=1001, approval="always")
    assert run.state == "success"


def test_unattended_real_money_is_refused(
    deploy: Callable[..., Run], quantconnect_sandbox: Any, connection: Callable[..., None]
) -> None:
    connection("ib", IB_CONNECTION)
    run = deploy(project_id=1001, brokerage_conn_id="ib", approval="never")
    assert run.states["plan"] == "failed"
    assert "allow_unattended" in run.log
    assert quantconnect_sandbox.requests() == []


def test_unattended_real_money_where_its_connection_allows_it(
    deploy: Callable[..., Run], quantconnect_sandbox: Any, connection: Callable[..., None]
) -> None:
    connection("ib", {**IB_CONNECTION, "extra": {**IB_CONNECTION["extra"], "allow_unattended": True}})  # type: ignore[dict-item]
    run = deploy(project_id=1001, brokerage_conn_id="ib", approval="never")
    assert run.state == "success"
    assert sent(quantconnect_sandbox, "live/create") == 1


def test_connection_that_became_real_after_the_gate_is_refused(
    deploy: Callable[..., Run],
    quantconnect_sandbox: Any,
    connection: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paper = {**IB_CONNECTION, "extra": {**IB_CONNECTION["extra"], "ib-account": "DU1234567"}}  # type: ignore[dict-item]
    connection("ib", paper)
    from quantconnect_provider.operators.compile import QuantConnectCompileOperator

    compile_ = QuantConnectCompileOperator.execute

    def then_switch(self: Any, *args: Any, **kwargs: Any) -> str:
        connection("ib", IB_CONNECTION)
        return compile_(self, *args, **kwargs)

    monkeypatch.setattr(QuantConnectCompileOperator, "execute", then_switch)
    run = deploy(project_id=1001, brokerage_conn_id="ib")
    assert run.states["deploy"] == "failed"
    assert "this was to be paper" in run.log
    assert sent(quantconnect_sandbox, "live/create") == 0
