"""A real Airflow over an empty SQLite database, and DAG runs in this process against the sandbox."""

from __future__ import annotations

import importlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.guarding import policies, shipped_dags, target_dags  # noqa: F401 - fixtures

ROOT = Path(__file__).resolve().parents[2]

FAST = {
    "nodes": {"live": [{"name": "first"}, {"name": "second"}, {"name": "third"}]},
    "defaults": {
        "build": {"polls": 1},
        "deploy": {
            "starting": {"InQueue": 0.05, "LoggingIn": 0.05, "Initializing": 0.05},
            "stop_seconds": 0.1,
            "liquidate_seconds": 0.1,
            "sell_seconds": 0.05,
        },
    },
    "projects": [
        {"name": "Idle", "id": 1001},
        {"name": "Trading", "id": 1002, "deployments": [{"status": "Running", "node": "third"}]},
        {
            "name": "Holding",
            "id": 1003,
            "holdings": [
                {
                    "symbol": "SPY",
                    "symbolId": "SPY R735QTJ8XC9X",
                    "quantity": 3,
                    "averagePrice": 500,
                    "price": 510,
                }
            ],
            "deployments": [{"status": "Running", "node": "second"}],
        },
    ],
}

IB_PASSWORD = "ib-canary-password"
IB_CONNECTION = {
    "conn_type": "quantconnect_brokerage",
    "login": "InteractiveBrokersBrokerage",
    "password": json.dumps({"ib-user-name": "ib-canary-user", "ib-password": IB_PASSWORD}),
    "extra": {"ib-account": "U1234567", "ib-weekly-restart-utc-time": "22:00:00"},
}


@dataclass
class Run:
    """A finished DAG run."""

    state: str
    states: dict[str, str]
    names: dict[str, list[str]]
    log: str
    run_id: str
    xcoms: dict[str, Any]


@dataclass(frozen=True)
class User:
    """Who answers a required action."""

    name: str

    def get_id(self) -> str:
        return self.name.lower()

    def get_name(self) -> str:
        return self.name


@pytest.fixture(scope="session")
def database() -> None:
    """Make Airflow's tables, once in each process."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def quantconnect_scenario() -> Any:
    return FAST


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Define an Airflow connection for one test, as JSON or as a URI."""

    def define(conn_id: str, fields: dict[str, Any] | str) -> None:
        value = fields if isinstance(fields, str) else json.dumps(fields)
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", value)

    return define


@pytest.fixture
def store_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty store for one test."""
    path = tmp_path / "store.db"
    monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_STORE", f"sqlite:///{path}")
    return f"sqlite:///{path}"


@pytest.fixture
def run_dag(
    database: None,
    store_url: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., Run]:
    """Run a DAG of dags/ (or of another folder) in this process and return how it ended."""

    def run(dag_id: str, folder: Path = ROOT / "dags", retries: int | None = None, **conf: Any) -> Run:
        from airflow.dag_processing.dagbag import DagBag

        # A fresh copy each time: dag.test() leaves a run's params in the DAG.
        bag = DagBag(str(folder))
        assert not bag.import_errors
        dag = bag.dags[dag_id]
        for task in dag.tasks:
            task.retry_delay = timedelta(0)
            if retries is not None:
                task.retries = retries
        caplog.set_level("INFO")
        capfd.readouterr()
        caplog.clear()
        dag_run = dag.test(run_conf=conf)
        # Airflow's own log lines go to the one, those of the standard library to the other.
        return _result(dag_run, "".join(capfd.readouterr()) + caplog.text)

    return run


def _result(dag_run: Any, log: str) -> Run:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    instances = dag_run.get_task_instances()
    names: dict[str, list[str]] = {}
    for instance in sorted(instances, key=lambda each: each.map_index):
        names.setdefault(instance.task_id, []).append(instance.rendered_map_index)
    with create_session() as session:
        rows = session.scalars(
            select(XComModel).where(XComModel.dag_id == dag_run.dag_id, XComModel.run_id == dag_run.run_id)
        )
        xcoms = {f"{row.task_id}[{row.map_index}].{row.key}": _plain(row.value) for row in rows}
    return Run(
        state=str(dag_run.state),
        states={
            each.task_id if each.map_index < 0 else f"{each.task_id}[{each.map_index}]": str(each.state)
            for each in instances
        },
        names=names,
        log=log,
        run_id=dag_run.run_id,
        xcoms=xcoms,
    )


def _plain(value: Any) -> Any:
    from airflow.sdk.serde import deserialize

    with suppress(TypeError, ValueError):
        value = json.loads(value)
    return deserialize(value)


@contextmanager
def answering(choice: str | None, user: str = "Alice") -> Iterator[list[dict[str, Any]]]:
    """Answer the next required action as a person would in the UI; None lets the time to answer pass.

    Gives a list that holds the request that was answered.
    """
    # Before the thread starts: two threads that import the same parts of Airflow get in each other's way.
    for module in ("routes.public.hitl", "datamodels.hitl"):
        importlib.import_module(f"airflow.api_fastapi.core_api.{module}")
    asked: list[dict[str, Any]] = []
    done = threading.Event()
    thread = threading.Thread(target=_answer, args=(choice, User(user), asked, done), daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        done.set()
        thread.join()


def _answer(choice: str | None, user: User, asked: list[dict[str, Any]], done: threading.Event) -> None:
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import handle_event_submit
    from airflow.triggers.base import TriggerEvent
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select
    from sqlalchemy.exc import OperationalError

    parked = (
        select(HITLDetail)
        .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        .where(TaskInstance.state == TaskInstanceState.AWAITING_INPUT)
    )
    # Until the end: the run may store its wait once more, over the answer to it.
    while not done.wait(0.1):
        with suppress(OperationalError):  # another writer is in the way: try again
            with create_session() as session:
                detail = session.scalars(parked).first()
                if detail is None:
                    continue
                request = {"subject": detail.subject, "body": detail.body}
                instance = detail.task_instance
                if choice is None or detail.response_received:
                    nobody = {"error": "nobody answered", "error_type": "timeout"}
                    event = TriggerEvent(nobody if choice is None else detail.as_resume_event_payload())
                    handle_event_submit(event, task_instance=instance, session=session)
                elif not asked:
                    update_hitl_detail(
                        dag_id=instance.dag_id,
                        dag_run_id=instance.run_id,
                        task_id=instance.task_id,
                        update_hitl_detail_payload=UpdateHITLDetailPayload(
                            chosen_options=[choice], params_input={}
                        ),
                        user=user,  # type: ignore[arg-type]
                        session=session,
                    )
            asked[:] = asked or [request]


def sent(sandbox: Any, endpoint: str) -> int:
    """How often an endpoint was asked."""
    return len(sandbox.requests(endpoint))


@pytest.fixture(autouse=True)
def _no_connections_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
        monkeypatch.delenv(name)
