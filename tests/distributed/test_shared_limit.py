"""Every client opened through the hook shares the account's limit with every other worker."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from quantconnect_provider.client.errors import RateLimitedError
from quantconnect_provider.hooks.quantconnect import QuantConnectHook
from quantconnect_provider.sandbox.server import Sandbox


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "store.db"
    monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_STORE", f"sqlite:///{path}")
    return path


def rows(store: Path) -> int:
    engine = create_engine(f"sqlite:///{store}")
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM quantconnect_api_pace")).scalar_one()
    engine.dispose()
    return int(count)


def connect(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, **extra: object) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_DEFAULT", sandbox.airflow_connection(**extra))


def test_a_worker_takes_its_slots_from_the_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox:
        connect(sandbox, monkeypatch, requests_per_minute=6000)
        with QuantConnectHook().get_conn() as client:
            client.authenticate()
    assert rows(store) == 1


def test_a_trigger_takes_its_slots_from_the_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox:
        connect(sandbox, monkeypatch, requests_per_minute=6000)
        with asyncio.run(QuantConnectHook().aaccess()).client() as client:
            client.authenticate()
    assert rows(store) == 1


def test_without_a_limit_the_store_is_not_touched(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox:
        connect(sandbox, monkeypatch)
        with QuantConnectHook().get_conn() as client:
            client.authenticate()
    assert not store.exists()


def test_exports_of_logs_are_counted_for_all_clients_of_an_account(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox() as sandbox:
        connect(sandbox, monkeypatch)
        [deployment] = sandbox.deployments()
        project_id, deploy_id = deployment["project_id"], deployment["deploy_id"]
        for _ in range(3):
            with QuantConnectHook().get_conn() as client:
                for _ in range(15):
                    list(client.export_logs(project_id, deploy_id))
        with QuantConnectHook().get_conn() as client, pytest.raises(RateLimitedError, match="45") as refused:
            list(client.export_logs(project_id, deploy_id))
        answered = [request["outcome"] for request in sandbox.requests("live/export/logs")]
    assert refused.value.retry_after_seconds > 1800
    assert answered == ["answered"] * 45  # what the sandbox allows; the 46th was not sent


def test_the_connection_test_needs_no_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox:
        connect(sandbox, monkeypatch, requests_per_minute=6000)
        good, _ = QuantConnectHook().test_connection()
    assert good
    assert not store.exists()


def test_a_store_connection_that_is_not_right_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_QUANTCONNECT_STORE", json.dumps({"conn_type": "sqlite", "host": "not/absolute.db"})
    )
    with Sandbox() as sandbox:
        connect(sandbox, monkeypatch, requests_per_minute=6000)
        with QuantConnectHook().get_conn() as client:
            client.authenticate()
        assert sandbox.counters()["requests"] == 1
