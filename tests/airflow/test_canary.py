"""Secrets are nowhere: not in logs, Airflow's database, the REST API's answers or the texts of errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from quantconnect_provider.sandbox import Sandbox
from tests.airflow.conftest import FAST, IB_CONNECTION, Run, answering

TOKEN = "api-canary-token"
CANARIES = (TOKEN, "ib-canary-user", "ib-canary-password", "feed-canary-key")
FEED = {
    "conn_type": "quantconnect_brokerage",
    "login": "SomeFeed",
    "password": '{"feed-key": "feed-canary-key"}',
}


@pytest.fixture
def sandbox(connection: Callable[..., None]) -> Iterator[Sandbox]:
    with Sandbox(FAST, api_token=TOKEN) as started:
        connection("quantconnect_default", started.airflow_connection())
        connection("ib", IB_CONNECTION)
        connection("feed", FEED)
        yield started


@pytest.fixture
def deploy(run_dag: Callable[..., Run], sandbox: Sandbox) -> Callable[[], Run]:
    def run() -> Run:
        with answering("Approve"):
            return run_dag(
                "quantconnect_deploy",
                retries=1,
                project_id=1001,
                brokerage_conn_id="ib",
                data_providers=["feed", "QuantConnectBrokerage"],
            )

    return run


def assert_clean(place: str, text: str) -> None:
    assert [canary for canary in CANARIES if canary in text] == [], place


def database_text(path: Path | None = None) -> dict[str, str]:
    """Every table as text; of Airflow's database: XCom, rendered fields, conf, task state, triggers."""
    path = path or Path(os.environ["AIRFLOW_HOME"]) / "airflow.db"
    with sqlite3.connect(path) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: repr(database.execute(f'SELECT * FROM "{name}"').fetchall()) for name in tables}


def rows_of(path: Path, table: str) -> list[dict[str, Any]]:
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f'SELECT * FROM "{table}"')]


def test_secrets_reach_the_api_and_nothing_else(deploy: Callable[[], Run], sandbox: Sandbox) -> None:
    run = deploy()
    assert run.state == "success"
    request = sandbox.deployments(1001)[0]["request"]
    assert request["brokerage"]["ib-password"] == "ib-canary-password"
    assert request["dataProviders"]["SomeFeed"]["feed-key"] == "feed-canary-key"
    assert_clean("log", run.log)
    tables = database_text()
    assert {"xcom", "rendered_task_instance_fields", "dag_run", "trigger", "hitl_detail"} <= set(tables)
    assert run.run_id in tables["xcom"]
    for name, text in tables.items():
        assert_clean(name, text)


def test_task_state_holds_the_receipt_and_no_secret(deploy: Callable[[], Run], sandbox: Sandbox) -> None:
    deploy()
    deploy_id = sandbox.deployments(1001)[0]["deploy_id"]
    holding = [name for name, text in database_text().items() if deploy_id in text and "state" in name]
    assert holding, "the task state store has the receipt"


@pytest.mark.parametrize(
    "fault",
    [
        {"errors": ["Bad request: ib-password=ib-canary-password, feed-key=feed-canary-key"]},
        {"status": 500},
        {"drop": True},
        {"truncate": True, "when": "after"},
    ],
    ids=["API quotes the secrets", "server error", "dropped", "cut off"],
)
def test_errors_quote_no_secret(deploy: Callable[[], Run], sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.add_fault("live/create", **fault)
    run = deploy()
    assert "live/create" in run.log
    assert_clean("log", run.log)
    for name, text in database_text().items():
        assert_clean(name, text)


def test_the_store_the_page_and_the_other_dags_hold_no_secret(
    deploy: Callable[[], Run], run_dag: Callable[..., Run], store_url: str
) -> None:
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    from quantconnect_provider.ui.store_access import access

    deployed = deploy()
    runs = [run_dag("quantconnect_harvest_insights", retries=0), run_dag("quantconnect_watch", retries=0)]
    assert [run.state for run in runs] == ["success", "success"]
    for run in runs:
        assert_clean("log", run.log)
    for name, text in database_text().items():
        assert_clean(name, text)
    path = Path(store_url.removeprefix("sqlite:///"))
    stored = {name: text for name, text in database_text(path).items() if name.startswith("quantconnect_")}
    deploy_id = next(row["deploy_id"] for row in rows_of(path, "quantconnect_deployments"))
    for name, text in stored.items():
        assert_clean(name, text)
    access.reset()
    routes = ["summary", "deployments?show=all"]
    routes += [f"{name}?deploy_id={deploy_id}" for name in ("deployment", "events", "equity", "insights")]
    routes.append(f"task?dag_id=quantconnect_deploy&run_id={quote(deployed.run_id)}&task_id=deploy")
    with TestClient(create_app(apps="core")) as client:
        token = client.get("/auth/token").json()["access_token"]
        for route in routes:
            answer = client.get(f"/quantconnect/api/{route}", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200, (route, answer.text)
            assert_clean(route, answer.text)
    access.reset()


def test_a_waiting_task_gives_the_triggerer_no_secret(
    deploy: Callable[[], Run], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quantconnect_provider.tasks import waiting
    from quantconnect_provider.triggers.live import LiveStatusTrigger

    kept: list[str] = []
    serialize = LiveStatusTrigger.serialize

    def noting(trigger: LiveStatusTrigger) -> tuple[str, dict[str, Any]]:
        kept.append(repr(serialize(trigger)))
        return serialize(trigger)

    monkeypatch.setattr(LiveStatusTrigger, "serialize", noting)
    monkeypatch.setattr(waiting, "WORKER_SECONDS", 0.0)
    sandbox.configure_project(1001, deploy={"starting": {"InQueue": 5.0}})  # also a slow machine has to wait
    assert deploy().state == "success"
    assert kept
    for text in kept:
        assert_clean("trigger", text)


def test_rest_api_answers_without_secrets(deploy: Callable[[], Run]) -> None:
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    run = deploy()
    base = f"/api/v2/dags/quantconnect_deploy/dagRuns/{run.run_id}"
    paths = [base, f"{base}/taskInstances", f"{base}/hitlDetails", f"{base}/taskInstances/deploy"]
    paths += [f"{base}/taskInstances/{task}/xcomEntries?limit=100" for task in run.states]
    with TestClient(create_app(apps="core")) as client:
        token = client.get("/auth/token").json()["access_token"]
        for path in paths:
            answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200, path
            assert_clean(path, answer.text)
