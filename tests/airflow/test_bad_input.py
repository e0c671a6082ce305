"""Bad input, and what it gets: one clear error in the task's log that names the thing and the fix."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from quantconnect_provider.client import RetrySettings
from tests.airflow.conftest import FAST, IB_CONNECTION, Run, sent

DEFAULT = "quantconnect_default"
CLOSED = "http://127.0.0.1:9/api/v2"


@pytest.fixture
def deploy(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> Callable[..., Run]:
    return lambda **conf: run_dag("quantconnect_deploy", **conf)


def says_once(run: Run, *words: str) -> None:
    """The log has these words, and neither a traceback nor a chain of errors after them."""
    for each in words:
        assert each in run.log
    assert "site-packages" not in run.log
    assert "Traceback" not in run.log
    assert "During handling of the above exception" not in run.log
    assert "direct cause of the following exception" not in run.log


def test_no_connection(deploy: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_QUANTCONNECT_DEFAULT")
    run = deploy(project_id=1001)
    assert run.states["plan"] == "failed"
    says_once(run, "There is no connection quantconnect_default", "Admin > Connections")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"login": ""}, ("quantconnect_default", "login", "user id")),
        ({"password": "sandbox "}, ("quantconnect_default", "spaces")),
        ({"host": "www.quantconnect.com/api/v2"}, ("quantconnect_default", "host", "https://")),
    ],
    ids=["empty login", "token with stray spaces", "host without scheme"],
)
def test_connection_that_cannot_be_right(
    deploy: Callable[..., Run],
    quantconnect_sandbox: Any,
    connection: Callable[..., None],
    changes: dict[str, Any],
    words: tuple[str, ...],
) -> None:
    connection(DEFAULT, {**json.loads(quantconnect_sandbox.airflow_connection()), **changes})
    run = deploy(project_id=1001)
    assert run.states["plan"] == "failed"
    says_once(run, *words)
    assert quantconnect_sandbox.requests() == []


def test_wrong_token(
    deploy: Callable[..., Run], quantconnect_sandbox: Any, connection: Callable[..., None]
) -> None:
    connection(DEFAULT, {**json.loads(quantconnect_sandbox.airflow_connection()), "password": "wrong-token"})
    run = deploy(project_id=1001)
    assert run.states["plan"] == "failed"
    says_once(run, "Hash doesn't match", "login (user id) and password (API token)")
    assert len(quantconnect_sandbox.requests()) == 1


def test_clock_two_hours_off(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    quantconnect_sandbox.set_api(clock_skew_seconds=2.2 * 3600, auth_window_seconds=-1.0)
    run = deploy(project_id=1001)
    assert run.states["plan"] == "failed"
    says_once(run, "clock", "NTP")
    assert len(quantconnect_sandbox.requests()) == 1


def test_unreachable_api_is_tried_again_and_named(
    run_dag: Callable[..., Run], connection: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = (1, *astuple(RetrySettings())[1:])  # one attempt within the task
    monkeypatch.setattr(RetrySettings.__init__, "__defaults__", patience)
    fields = {
        "conn_type": "quantconnect",
        "host": "http://127.0.0.1:9/api/v2",
        "login": "1",
        "password": "token-1",
    }
    connection(DEFAULT, fields)
    run = run_dag("quantconnect_harvest_insights", retries=0)
    assert run.states["list_deployments"] == "failed"
    says_once(run, CLOSED, "Connection refused", "Check the connection's host")


def test_project_that_does_not_exist(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = deploy(project_id=4711)
    assert run.states["plan"] == "failed"
    says_once(run, "4711", "Check the id")
    assert sent(quantconnect_sandbox, "compile/create") == 0


def test_project_that_never_was_live(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = run_dag("quantconnect_harvest_insights", project_ids=[1001])
    assert run.states["list_deployments"] == "failed"
    says_once(run, "Never had a live deployment: project 1001.", "Deploy the project first")


@pytest.mark.parametrize(
    ("dag_id", "conf", "names"),
    [
        ("quantconnect_deploy", {"project_id": "Momentum"}, "project_id"),
        ("quantconnect_deploy", {}, "project_id"),
        ("quantconnect_deploy", {"project_id": 1001, "if_running": "whatever"}, "if_running"),
        ("quantconnect_deploy", {"project_id": 1001, "version_id": "latest"}, "version_id"),
        ("quantconnect_wind_down", {"project_ids": [1002, 1002]}, "project_ids"),
        ("quantconnect_wind_down", {"project_ids": [1002], "action": "explode"}, "action"),
        ("quantconnect_harvest_insights", {"project_ids": "1002"}, "project_ids"),
    ],
)
def test_param_that_cannot_be_right_starts_no_run(
    run_dag: Callable[..., Run], quantconnect_sandbox: Any, dag_id: str, conf: dict[str, Any], names: str
) -> None:
    with pytest.raises(ParamValidationError, match=names):
        run_dag(dag_id, **conf)
    assert quantconnect_sandbox.requests() == []


def test_misspelt_param_is_named(deploy: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = deploy(project_id=1001, if_runing="redeploy")
    assert run.states["plan"] == "failed"
    says_once(run, "There is no param if_runing", "if_running")
    assert quantconnect_sandbox.requests() == []


def test_empty_list(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    run = run_dag("quantconnect_wind_down", project_ids=[])
    assert run.states["choose"] == "failed"
    says_once(run, "project_ids is empty", "Name at least one project")
    assert quantconnect_sandbox.requests() == []


def test_unknown_status_is_reported_and_waited_through(
    deploy: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    settings = {**FAST["defaults"]["deploy"], "starting": {"InQueue": 0.05, "Levitating": 1.0}}  # type: ignore[index]
    quantconnect_sandbox.configure_project(1001, deploy=settings)
    run = deploy(project_id=1001)
    assert run.state == "success"
    assert "unknown status 'Levitating'" in run.log


def test_brokerage_whose_password_is_not_json(
    deploy: Callable[..., Run], quantconnect_sandbox: Any, connection: Callable[..., None]
) -> None:
    connection("ib", {**IB_CONNECTION, "password": "plain-canary"})
    run = deploy(project_id=1001, brokerage_conn_id="ib")
    assert run.states["plan"] == "failed"
    says_once(run, "connection ib", "not a JSON object", '{"ib-password": "..."}')
    assert "plain-canary" not in run.log
    assert quantconnect_sandbox.requests() == []
