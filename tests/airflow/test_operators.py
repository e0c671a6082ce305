"""Operators and the sensor by themselves: inputs, deferral, results; with and without Airflow's context."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException, TaskDeferred

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.live.notes import MemoryNotes
from quantconnect_provider.operators.compile import QuantConnectCompileOperator
from quantconnect_provider.operators.insights import QuantConnectExtractInsightsOperator
from quantconnect_provider.operators.live import (
    QuantConnectCreateLiveOperator,
    QuantConnectLiquidateLiveOperator,
    QuantConnectListLiveOperator,
    QuantConnectReadLiveOperator,
    QuantConnectStopLiveOperator,
)
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.sensors.live import QuantConnectLiveStatusSensor
from quantconnect_provider.store import Store as QuantConnectStore
from quantconnect_provider.store.live_requests import load_live_requests
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed


class Store:
    """A task state store that remembers as long as the test."""

    def __init__(self) -> None:
        self.ledger = MemoryNotes()
        self.retentions: list[Any] = []

    def get(self, key: str, default: Any = None) -> Any:
        return self.ledger.get(key)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        self.retentions.append(retention)
        self.ledger.set(key, value)


def context(store: Store | None = None) -> Any:
    return {"ti": MagicMock(), "run_id": "by-hand", "task_state_store": store or Store(), "params": {}}


def run_deferred(operator: Any, about: Any) -> Any:
    """Run a task as Airflow does, its triggers included, over JSON as through the database."""
    method, event = operator.execute, {}
    while True:
        try:
            return method(about, **event)
        except TaskDeferred as deferred:
            payload = asyncio.run(_first_event(deferred.trigger))
            method = getattr(operator, deferred.method_name)
            event = {"event": json.loads(json.dumps(payload))}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deferrable tasks defer after one poll instead of waiting in their worker first."""
    monkeypatch.setattr("quantconnect_provider.tasks.waiting.WORKER_SECONDS", 0.0)


async def _first_event(trigger: Any) -> Any:
    async for event in trigger.run():
        return event.payload
    raise AssertionError


def test_a_stop_is_in_the_store_before_it_is_sent(
    quantconnect_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_STORE", url)
    deploy_id = quantconnect_sandbox.deploy(1001)

    def stop_and_die(client: QuantConnectClient, project_id: int) -> None:
        quantconnect_sandbox.set_status(deploy_id, "Stopped")
        raise SystemExit

    monkeypatch.setattr(QuantConnectClient, "stop_live", stop_and_die)
    with pytest.raises(SystemExit):
        QuantConnectStopLiveOperator(task_id="stop", project_id="1001").execute(context())

    with QuantConnectStore.open(url) as store:
        [request] = load_live_requests(store, [1001])[1001]
    assert (request.action, request.deploy_id, request.run_id) == ("stop", deploy_id, "by-hand")


@pytest.mark.parametrize("deferrable", [False, True])
def test_compile_deploy_stop_both_ways_of_waiting(quantconnect_sandbox: Sandbox, deferrable: bool) -> None:
    compile_id = run_deferred(
        QuantConnectCompileOperator(task_id="compile", project_id="1001", deferrable=deferrable), context()
    )
    made = run_deferred(
        QuantConnectCreateLiveOperator(
            task_id="create", project_id="1001", compile_id=compile_id, deferrable=deferrable
        ),
        context(),
    )
    assert (made["status"], made["how"]) == ("Running", "created")
    over = run_deferred(
        QuantConnectStopLiveOperator(task_id="stop", project_id=1001, deferrable=deferrable), context()
    )
    assert (over["deploy_id"], over["status"], over["already_over"]) == (made["deploy_id"], "Stopped", False)


@pytest.mark.parametrize("deferrable", [False, True])
def test_holdings_that_stay_are_reported_and_fail_if_asked(
    quantconnect_sandbox: Sandbox, deferrable: bool
) -> None:
    settings = {"liquidate_seconds": 0.1, "sell_seconds": 0.05, "unsellable": ["SPY R735QTJ8XC9X"]}
    quantconnect_sandbox.configure_project(1003, deploy=settings)
    arguments = {"project_id": 1003, "deferrable": deferrable, "flat_timeout_seconds": 0.5}
    result = run_deferred(QuantConnectLiquidateLiveOperator(task_id="liquidate", **arguments), context())
    assert result["status"] == "Liquidated"
    assert [(left["quantity"], left["symbol"]) for left in result["holdings_left"]] == [
        ("3.0", "SPY R735QTJ8XC9X")
    ]
    strict = QuantConnectLiquidateLiveOperator(task_id="strict", require_flat=True, **arguments)
    with pytest.raises(QuantConnectTaskFailed, match="SPY"):
        run_deferred(strict, context())


def test_second_attempt_goes_on_with_the_deployment_of_the_first(
    quantconnect_sandbox: Sandbox, at_once: None
) -> None:
    compile_id = run_deferred(QuantConnectCompileOperator(task_id="compile", project_id=1001), context())
    store = Store()
    create = QuantConnectCreateLiveOperator(
        task_id="create", project_id=1001, compile_id=compile_id, deferrable=True
    )
    quantconnect_sandbox.set_speed(0)  # it starts for as long as the first attempt lasts
    with pytest.raises(TaskDeferred):
        create.execute(context(store))
    quantconnect_sandbox.set_speed(1)
    again = run_deferred(create, context(store))
    assert again["how"] == "resumed"
    assert len(quantconnect_sandbox.requests("live/create")) == 1
    from airflow.sdk import NEVER_EXPIRE

    assert set(store.retentions) == {NEVER_EXPIRE}


def test_attempt_that_finds_its_deployment_running_waits_for_nothing(quantconnect_sandbox: Sandbox) -> None:
    compile_id = run_deferred(QuantConnectCompileOperator(task_id="compile", project_id=1001), context())
    store = Store()
    create = QuantConnectCreateLiveOperator(
        task_id="create", project_id=1001, compile_id=compile_id, deferrable=True
    )
    first = run_deferred(create, context(store))
    again = create.execute(context(store))
    assert again == {**first, "how": "resumed"}


def test_liquidation_that_finds_nothing_held_waits_for_nothing(quantconnect_sandbox: Sandbox) -> None:
    store = Store()
    liquidate = QuantConnectLiquidateLiveOperator(task_id="liquidate", project_id=1003, deferrable=True)
    first = run_deferred(liquidate, context(store))
    assert first["flat"]
    assert liquidate.execute(context(store))["flat"]


def test_context_without_a_state_store_is_warned_about(
    quantconnect_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    about = context()
    del about["task_state_store"]
    run_deferred(QuantConnectStopLiveOperator(task_id="stop", project_id=1002), about)
    assert "no task state store" in caplog.text


def test_trigger_of_a_wait_holds_ids_only(quantconnect_sandbox: Sandbox, at_once: None) -> None:
    stop = QuantConnectStopLiveOperator(task_id="stop", project_id=1002, deferrable=True)
    quantconnect_sandbox.set_speed(0)  # it stops for as long as the task looks
    with pytest.raises(TaskDeferred) as caught:
        stop.execute(context())
    _, kwargs = caught.value.trigger.serialize()
    assert kwargs["deploy_id"] == quantconnect_sandbox.deployments(1002)[0]["deploy_id"]
    assert quantconnect_sandbox.api_token not in json.dumps(kwargs)


def test_event_of_another_version_fails_the_task(quantconnect_sandbox: Sandbox) -> None:
    create = QuantConnectCreateLiveOperator(
        task_id="create", project_id=1001, compile_id="c", deferrable=True
    )
    with pytest.raises(ValueError, match="same version"):
        create.execute_complete(context(), {"v": 99, "verdict": "done"})


def test_read_returns_ids_status_and_times_only(quantconnect_sandbox: Sandbox) -> None:
    result = QuantConnectReadLiveOperator(task_id="read", project_id=1002).execute(context())
    assert set(result) == {"project_id", "deploy_id", "status", "launched_at", "stopped_at"}


def test_list_can_be_narrowed(quantconnect_sandbox: Sandbox) -> None:
    rows = QuantConnectListLiveOperator(task_id="list").execute(context())
    assert sorted(row["project_id"] for row in rows) == [1002, 1003]
    assert QuantConnectListLiveOperator(task_id="some", project_id="1003").execute(context()) == [
        row for row in rows if row["project_id"] == 1003
    ]


@pytest.mark.parametrize("project_id", ["Momentum", "", None, 0, -5, 1.5, True, "10 01"])
def test_project_id_that_is_no_whole_number_is_named(project_id: Any) -> None:
    with pytest.raises(QuantConnectTaskFailed, match="project_id"):
        QuantConnectCompileOperator(task_id="compile", project_id=project_id).execute(context())


@pytest.mark.parametrize(
    ("project_ids", "says"),
    [([], "empty"), ([1002, 1002], "more than once"), (["x"], r"project_ids\[0\]"), ("{}", "list")],
)
def test_list_of_projects_that_cannot_be_right_is_named(
    quantconnect_sandbox: Sandbox, project_ids: Any, says: str
) -> None:
    with pytest.raises(QuantConnectTaskFailed, match=says):
        QuantConnectExtractInsightsOperator(task_id="extract", project_ids=project_ids).execute(context())
    assert quantconnect_sandbox.requests() == []


def test_extraction_returns_counts(quantconnect_sandbox: Sandbox, store_url: str) -> None:
    deploy_id = quantconnect_sandbox.deployments(1002)[0]["deploy_id"]
    quantconnect_sandbox.add_insights(deploy_id, count=120)
    counts = QuantConnectExtractInsightsOperator(task_id="extract", project_ids=[1002]).execute(context())
    assert (counts["deployments"], counts["inserted"], counts["failed"]) == (1, 120, 0)


@pytest.mark.parametrize("deferrable", [False, True])
def test_sensor_sees_the_status(quantconnect_sandbox: Sandbox, deferrable: bool) -> None:
    deploy_id = quantconnect_sandbox.deployments(1002)[0]["deploy_id"]
    quantconnect_sandbox.set_status(deploy_id, "LoggingIn")
    quantconnect_sandbox.add_fault(
        "live/*", nth=3, control=[{"verb": "set_status", "deploy_id": deploy_id, "status": "Running"}]
    )
    sensor = QuantConnectLiveStatusSensor(
        task_id="sense", project_id=1002, deferrable=deferrable, poke_interval=0.05, timeout=20
    )
    assert run_deferred(sensor, context()) == {
        "project_id": 1002,
        "deploy_id": deploy_id,
        "status": "Running",
    }


class PokedFirst(MagicMock):
    """A task instance in its first poke, as `mode="reschedule"` asks for it."""

    def get_first_reschedule_date(self, context: Any) -> None:
        return None


@pytest.mark.parametrize("soft_fail", [False, True])
@pytest.mark.parametrize("way", ["poke", "reschedule", "worker", "triggerer"])
def test_sensor_fails_when_the_deployment_ends_otherwise(
    quantconnect_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, way: str, soft_fail: bool
) -> None:
    sensor = sensing(way, monkeypatch, soft_fail=soft_fail)
    deploy_id = quantconnect_sandbox.deployments(1002)[0]["deploy_id"]
    if way == "triggerer":  # it ends after the task has deferred
        fail = {"verb": "fail", "deploy_id": deploy_id, "message": "out of memory"}
        quantconnect_sandbox.add_fault("live/list", nth=2, control=[fail])
    else:
        quantconnect_sandbox.fail(deploy_id, message="out of memory")
    with pytest.raises(QuantConnectTaskFailed, match="out of memory"):
        resume_deferred(sensor)


@pytest.mark.parametrize("way", ["poke", "reschedule", "worker", "triggerer"])
@pytest.mark.parametrize("problem", ["token", "project"])
def test_soft_fail_does_not_hide_what_waiting_cannot_cure(
    quantconnect_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, way: str, problem: str
) -> None:
    sensor = sensing(way, monkeypatch, soft_fail=True)
    says = {"token": "Hash doesn't match. UID: 1", "project": "Project not found"}[problem]
    first = 3 if way == "triggerer" else 1  # after the task has deferred
    quantconnect_sandbox.add_fault("live/*", nth=first, times=None, errors=[says])
    with pytest.raises(QuantConnectTaskFailed):
        resume_deferred(sensor)


@pytest.mark.parametrize("way", ["worker", "triggerer"])
def test_soft_fail_skips_on_a_timeout(
    quantconnect_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    with pytest.raises(AirflowSkipException):
        resume_deferred(sensing(way, monkeypatch, soft_fail=True, timeout=0.3))


def sensing(way: str, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> QuantConnectLiveStatusSensor:
    """A sensor for an end that does not come, which waits in one of the four ways that there are."""
    if way == "triggerer":
        monkeypatch.setattr("quantconnect_provider.tasks.waiting.WORKER_SECONDS", 0.0)
    return QuantConnectLiveStatusSensor(
        task_id="sense",
        project_id=1002,
        target=["Stopped"],
        deferrable=way in ("worker", "triggerer"),
        mode="reschedule" if way == "reschedule" else "poke",
        poke_interval=0.05,
        **arguments,
    )


def resume_deferred(sensor: QuantConnectLiveStatusSensor) -> Any:
    """Run a sensor as Airflow does, with its own rules for resuming."""
    about = {**context(), "ti": PokedFirst()}
    try:
        return sensor.execute(about)
    except TaskDeferred as deferred:
        event = json.loads(json.dumps(asyncio.run(_first_event(deferred.trigger))))
        return sensor.resume_execution(str(deferred.method_name), {"event": event}, about)


@pytest.mark.parametrize("deferrable", [False, True])
def test_sensor_has_a_limit(quantconnect_sandbox: Sandbox, deferrable: bool) -> None:
    sensor = QuantConnectLiveStatusSensor(
        task_id="sense",
        project_id=1002,
        target=["Stopped"],
        deferrable=deferrable,
        poke_interval=0.05,
        timeout=0.3,
    )
    started = time.monotonic()
    with pytest.raises(AirflowSensorTimeout):
        run_deferred(sensor, context())
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "operator",
    [
        QuantConnectCompileOperator,
        QuantConnectCreateLiveOperator,
        QuantConnectExtractInsightsOperator,
        QuantConnectLiquidateLiveOperator,
        QuantConnectListLiveOperator,
        QuantConnectLiveStatusSensor,
        QuantConnectReadLiveOperator,
        QuantConnectStopLiveOperator,
    ],
)
def test_connection_can_be_templated_everywhere(operator: Any) -> None:
    assert "quantconnect_conn_id" in operator.template_fields
    assert {"project_id", "project_ids"} & set(operator.template_fields)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("", "https://www.quantconnect.com/project/1002"),
        ("https://www.quantconnect.com/api/v2", "https://www.quantconnect.com/project/1002"),
        ("http://127.0.0.1:5612/api/v2", ""),
        ("https://quantconnect.com.example.org/api/v2", ""),
    ],
)
def test_link_leads_to_the_rendered_project_where_the_connection_does(
    connection: Callable[..., None], host: str, expected: str
) -> None:
    from quantconnect_provider.links import QuantConnectProjectLink

    connection(
        "quantconnect_default", {"conn_type": "quantconnect", "host": host, "login": "1", "password": "token"}
    )
    read = QuantConnectReadLiveOperator(task_id="read", project_id="{{ params.project }}")
    read.render_template_fields({"params": {"project": 1002}})  # type: ignore[typeddict-item]
    link: Callable[..., str] = QuantConnectProjectLink().get_link
    assert link(read, ti_key=None) == expected


@pytest.mark.parametrize(("configured", "expected"), [("True", True), ("False", False)])
def test_deferrable_follows_airflows_setting(
    monkeypatch: pytest.MonkeyPatch, configured: str, expected: bool
) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", configured)
    assert QuantConnectStopLiveOperator(task_id="stop", project_id=1).deferrable is expected
