"""Operators that go on after the triggerer has waited for them, and waits that end otherwise."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from quantconnect_provider.live.wind_down.steps import WindDown
from quantconnect_provider.operators.compile import QuantConnectCompileOperator
from quantconnect_provider.operators.live import (
    QuantConnectCreateLiveOperator,
    QuantConnectLiquidateLiveOperator,
    QuantConnectStopLiveOperator,
)
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.sensors.live import QuantConnectLiveStatusSensor
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed
from tests.airflow.conftest import sent
from tests.airflow.test_operators import Store, context

STOP = "live/update/stop"
SOON = {"deferrable": True, "poll_interval_seconds": 0.05}


@pytest.fixture
def resumed(quantconnect_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Deferrable tasks defer after one poll, which sees no end yet; the methods with which they resume."""
    slow = {"starting": {"InQueue": 0.8}, "stop_seconds": 0.8, "liquidate_seconds": 0.8}
    for project_id in (1001, 1002, 1003):
        quantconnect_sandbox.configure_project(project_id, deploy=slow)
    monkeypatch.setattr("quantconnect_provider.tasks.waiting.WORKER_SECONDS", 0.0)
    return []


def run(operator: Any, resumed: list[str], store: Store | None = None) -> Any:
    """Run a task as Airflow does, its triggers included, over JSON as through the database."""
    about = context(store)
    method, event = operator.execute, {}
    while True:
        try:
            return method(about, **event)
        except TaskDeferred as deferred:
            resumed.append(deferred.method_name)
            method = getattr(operator, deferred.method_name)
            event = {"event": json.loads(json.dumps(asyncio.run(_first_event(deferred.trigger))))}


async def _first_event(trigger: Any) -> Any:
    async for event in trigger.run():
        return event.payload
    raise AssertionError


def build(resumed: list[str]) -> str:
    return str(run(QuantConnectCompileOperator(task_id="compile", project_id=1001, **SOON), resumed))


def create(compile_id: str, **fields: Any) -> QuantConnectCreateLiveOperator:
    return QuantConnectCreateLiveOperator(task_id="create", project_id=1001, compile_id=compile_id, **fields)


def stop(**fields: Any) -> QuantConnectStopLiveOperator:
    return QuantConnectStopLiveOperator(task_id="stop", project_id=1002, **{**SOON, **fields})


def test_a_build_ends_in_the_triggerer(quantconnect_sandbox: Sandbox, resumed: list[str]) -> None:
    quantconnect_sandbox.configure_project(1001, build={"polls": 3})
    assert run(create(build(resumed)), resumed)["status"] == "Running"
    assert resumed == ["execute_complete"]


def test_a_build_without_a_log_is_a_build(quantconnect_sandbox: Sandbox, resumed: list[str]) -> None:
    quantconnect_sandbox.set_api(overlays=[{"endpoint": "compile/read", "fields": {"logs": []}}])
    assert build(resumed)


def test_a_deployment_is_running_when_the_task_resumes(
    quantconnect_sandbox: Sandbox, resumed: list[str]
) -> None:
    made = run(create(build(resumed), **SOON), resumed)
    assert resumed[-1] == "execute_complete"
    assert (made["status"], made["how"]) == ("Running", "created")


def test_a_deployment_that_dies_meanwhile_fails_the_task_that_resumes(
    quantconnect_sandbox: Sandbox, resumed: list[str]
) -> None:
    compile_id = build(resumed)
    fail = {"at": "LoggingIn", "message": "wrong password"}
    quantconnect_sandbox.configure_project(1001, deploy={"fail": fail})
    with pytest.raises(QuantConnectTaskFailed, match="wrong password"):
        run(create(compile_id, **SOON), resumed)
    assert resumed[-1] == "execute_complete"


def test_a_deployment_need_not_be_waited_for(quantconnect_sandbox: Sandbox, resumed: list[str]) -> None:
    made = create(build(resumed), wait_for_running=False).execute(context())
    [deployment] = quantconnect_sandbox.deployments(1001)
    assert (made["deploy_id"], made["how"], made["status"]) == (deployment["deploy_id"], "created", None)


def test_a_stop_is_over_when_the_task_resumes(quantconnect_sandbox: Sandbox, resumed: list[str]) -> None:
    result = run(stop(), resumed)
    assert resumed == ["execute_complete"]
    assert (result["status"], result["already_over"]) == ("Stopped", False)
    assert sent(quantconnect_sandbox, STOP) == 1


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_stop_without_a_clear_answer_is_sent_again_after_a_while(
    quantconnect_sandbox: Sandbox, resumed: list[str], monkeypatch: pytest.MonkeyPatch, deferrable: bool
) -> None:
    impatient = partial(WindDown, resend_seconds=0.3)
    monkeypatch.setattr("quantconnect_provider.tasks.wind_down_operator.WindDown", impatient)
    quantconnect_sandbox.add_fault(STOP, drop=True)
    assert run(stop(deferrable=deferrable), resumed)["status"] == "Stopped"
    assert sent(quantconnect_sandbox, STOP) == 2
    assert resumed == (["execute_complete"] * 2 if deferrable else [])


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_stop_that_does_not_end_in_time_fails(
    quantconnect_sandbox: Sandbox, resumed: list[str], deferrable: bool
) -> None:
    quantconnect_sandbox.configure_project(1002, deploy={"stop_seconds": 600})
    with pytest.raises(QuantConnectTaskFailed, match="still Running at the time limit"):
        run(stop(deferrable=deferrable, timeout_seconds=1.0), resumed)
    assert sent(quantconnect_sandbox, STOP) == 1


def test_a_liquidation_resumes_for_its_end_and_for_its_holdings(
    quantconnect_sandbox: Sandbox, resumed: list[str]
) -> None:
    quantconnect_sandbox.configure_project(1003, deploy={"liquidate_seconds": 0.8, "sell_seconds": 1.5})
    liquidate = QuantConnectLiquidateLiveOperator(task_id="liquidate", project_id=1003, **SOON)
    assert run(liquidate, resumed)["flat"] is True
    assert resumed == ["execute_complete", "flat_complete"]


def test_holdings_of_what_was_stopped_before_are_reported_at_once(
    quantconnect_sandbox: Sandbox, resumed: list[str]
) -> None:
    [deployment] = quantconnect_sandbox.deployments(1003)
    quantconnect_sandbox.set_status(deployment["deploy_id"], "Stopped")
    liquidate = QuantConnectLiquidateLiveOperator(task_id="liquidate", project_id=1003, **SOON)
    result = run(liquidate, resumed)
    assert (result["already_over"], result["flat"], resumed) == (True, False, [])


def test_a_poke_that_fails_for_a_passing_reason_is_repeated(
    quantconnect_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    fault = quantconnect_sandbox.add_fault("live/read", status=503, times=None)
    sensor = QuantConnectLiveStatusSensor(task_id="sense", project_id=1002)
    seen = [sensor.poke(context()).is_done]
    quantconnect_sandbox.clear_faults(fault)
    assert [*seen, sensor.poke(context()).is_done] == [False, True]
