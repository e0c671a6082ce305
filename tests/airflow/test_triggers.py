"""Waiting without a worker: events, failed polls, deadlines, one request for all, a free event loop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.module_loading import import_string
from airflow.sdk.serde import deserialize, serialize

from quantconnect_provider.live.waiting import OVER, RUNNING, WaitState
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.triggers.compile import CompileTrigger
from quantconnect_provider.triggers.events import UnknownEventError, read_wait_result, resume_of
from quantconnect_provider.triggers.flat import FlatTrigger
from quantconnect_provider.triggers.live import LiveStatusTrigger

CONN = "quantconnect_default"


def live_trigger(deploy_id: str = "L-1", **changes: Any) -> LiveStatusTrigger:
    fields = {
        "quantconnect_conn_id": CONN,
        "project_id": 1002,
        "deploy_id": deploy_id,
        "target": RUNNING,
        "deadline": time.time() + 20,
        "poll_interval_seconds": 0.05,
        **changes,
    }
    return LiveStatusTrigger(**fields)


def running_id(sandbox: Sandbox) -> str:
    return str(sandbox.deployments(1002)[0]["deploy_id"])


async def first_event(trigger: Any) -> dict[str, Any]:
    async for event in trigger.run():
        return dict(event.payload)
    raise AssertionError("the trigger ended without an event")


def run(trigger: Any) -> dict[str, Any]:
    return asyncio.run(first_event(trigger))


@pytest.mark.parametrize(
    "trigger",
    [
        live_trigger(resume={"how": "created"}),
        CompileTrigger(
            quantconnect_conn_id=CONN, project_id=1, compile_id="c-1", deadline=9.5, poll_interval_seconds=2.0
        ),
        FlatTrigger(quantconnect_conn_id=CONN, project_id=1, deadline=9.5, poll_interval_seconds=30.0),
    ],
    ids=lambda trigger: type(trigger).__name__,
)
def test_trigger_survives_the_database(trigger: Any) -> None:
    classpath, kwargs = trigger.serialize()
    stored = json.loads(json.dumps(serialize(kwargs)))
    again = import_string(classpath)(**deserialize(stored))
    assert again.serialize() == (classpath, kwargs)


def test_event_has_a_version_and_what_the_task_gave(quantconnect_sandbox: Sandbox) -> None:
    event = run(live_trigger(running_id(quantconnect_sandbox), resume={"how": "created"}))
    assert event["v"] == 1
    wait_result = read_wait_result(json.loads(json.dumps(event)))
    assert (wait_result.verdict, wait_result.status) == (WaitState.DONE, "Running")
    assert resume_of(event) == {"how": "created"}


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        {
            "v": 2,
            "verdict": "done",
            "deploy_id": "L-1",
            "status": "Running",
            "message": "",
            "retryable": False,
        },
        {"v": 1, "verdict": "splendid", "deploy_id": "", "status": "", "message": "", "retryable": False},
        {"v": 1, "verdict": "wait", "deploy_id": "", "status": "", "message": "", "retryable": False},
        {"v": 1, "verdict": "done"},
    ],
)
def test_unknown_event_raises(event: Any) -> None:
    with pytest.raises(ValueError, match=r"trigger ended with|not the event"):
        read_wait_result(event)
    assert issubclass(UnknownEventError, ValueError)


def test_end_without_the_target_is_reported(quantconnect_sandbox: Sandbox) -> None:
    deploy_id = running_id(quantconnect_sandbox)
    quantconnect_sandbox.fail(deploy_id, message="out of memory")
    wait_result = read_wait_result(run(live_trigger(deploy_id)))
    assert (wait_result.verdict, wait_result.status) == (WaitState.ENDED, "RuntimeError")


def test_unknown_status_is_waited_through(quantconnect_sandbox: Sandbox) -> None:
    deploy_id = running_id(quantconnect_sandbox)
    quantconnect_sandbox.set_status(deploy_id, "Levitating")
    quantconnect_sandbox.add_fault(
        "live/list", nth=3, control=[{"verb": "set_status", "deploy_id": deploy_id, "status": "Running"}]
    )
    assert read_wait_result(run(live_trigger(deploy_id))).verdict is WaitState.DONE
    assert len(quantconnect_sandbox.requests("live/list")) == 3


def test_deployment_that_the_list_of_all_leaves_out_is_asked_for(
    quantconnect_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quantconnect_provider.client import QuantConnectClient

    whole = QuantConnectClient.list_live

    def cut_short(
        client: QuantConnectClient, project_id: int | None = None, status: str | None = None
    ) -> Any:
        return whole(client, project_id, status) if project_id else []

    monkeypatch.setattr(QuantConnectClient, "list_live", cut_short)
    assert read_wait_result(run(live_trigger(running_id(quantconnect_sandbox)))).verdict is WaitState.DONE


@pytest.mark.parametrize("kind", ["live", "compile"])
def test_triggerer_holds_the_event_back_until_a_healthy_scheduler_has_noted_the_deferral(
    quantconnect_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD", "1")
    trigger = live_trigger(running_id(quantconnect_sandbox)) if kind == "live" else finished_build()
    trigger.task_instance = SimpleNamespace(task_id="wait")
    started = time.monotonic()
    assert read_wait_result(run(trigger)).verdict is WaitState.DONE
    assert time.monotonic() - started >= 1


def test_without_a_triggerer_the_event_comes_at_once(quantconnect_sandbox: Sandbox) -> None:
    started = time.monotonic()
    run(live_trigger(running_id(quantconnect_sandbox)))
    assert time.monotonic() - started < 15


def test_failed_polls_are_tolerated(quantconnect_sandbox: Sandbox) -> None:
    quantconnect_sandbox.add_fault("live/list", times=4, status=503)
    assert read_wait_result(run(live_trigger(running_id(quantconnect_sandbox)))).verdict is WaitState.DONE


def test_a_wait_that_was_asked_to_slow_down_does(quantconnect_sandbox: Sandbox) -> None:
    quantconnect_sandbox.add_fault("live/list", status=429, retry_after=1)
    started = time.monotonic()
    wait_result = read_wait_result(run(live_trigger(running_id(quantconnect_sandbox))))
    assert wait_result.verdict is WaitState.DONE
    assert time.monotonic() - started >= 1
    assert len(quantconnect_sandbox.requests("live/list")) == 2


def test_polls_that_keep_failing_end_the_wait(quantconnect_sandbox: Sandbox) -> None:
    quantconnect_sandbox.add_fault("live/list", times=None, drop=True)
    wait_result = read_wait_result(run(live_trigger(poll_interval_seconds=0.001)))
    assert (wait_result.verdict, wait_result.retryable) == (WaitState.BLIND, True)


@pytest.mark.parametrize("kind", ["live", "compile"])
def test_refused_credentials_end_the_wait_at_once(
    quantconnect_sandbox: Sandbox, connection: Callable[..., None], kind: str
) -> None:
    fields = json.loads(quantconnect_sandbox.airflow_connection())
    connection(CONN, {**fields, "password": "wrong-token"})
    compiling = CompileTrigger(
        quantconnect_conn_id=CONN,
        project_id=1001,
        compile_id="c",
        deadline=time.time() + 20,
        poll_interval_seconds=1,
    )
    wait_result = read_wait_result(run(live_trigger() if kind == "live" else compiling))
    assert (wait_result.verdict, wait_result.retryable) == (WaitState.BLIND, False)
    assert len(quantconnect_sandbox.requests()) == 1


def test_missing_connection_ends_the_wait_at_once() -> None:
    wait_result = read_wait_result(run(live_trigger(quantconnect_conn_id="nowhere")))
    assert wait_result.verdict is WaitState.BLIND
    assert "nowhere" in wait_result.message


def test_deadline_holds_though_the_api_hangs(quantconnect_sandbox: Sandbox) -> None:
    deploy_id = running_id(quantconnect_sandbox)
    quantconnect_sandbox.add_fault("live/list", nth=2, times=None, hang=True)
    started = time.monotonic()
    wait_result = read_wait_result(run(live_trigger(deploy_id, target=OVER, deadline=time.time() + 0.5)))
    assert wait_result.verdict is WaitState.TIMEOUT
    assert time.monotonic() - started < 5
    quantconnect_sandbox.clear_faults()


def test_trigger_that_starts_after_the_deadline_still_polls_once(quantconnect_sandbox: Sandbox) -> None:
    deploy_id = running_id(quantconnect_sandbox)
    assert read_wait_result(run(live_trigger(deploy_id, deadline=time.time() - 60))).verdict is WaitState.DONE


def test_runtime_error_gets_its_grace_with_automatic_restarts(quantconnect_sandbox: Sandbox) -> None:
    deploy_id = running_id(quantconnect_sandbox)
    quantconnect_sandbox.fail(deploy_id, restart_after_seconds=0.3)
    wait_result = read_wait_result(run(live_trigger(deploy_id, restart_grace_seconds=20.0)))
    assert (wait_result.verdict, wait_result.status) == (WaitState.DONE, "Running")


def test_killing_and_cleaning_up_send_nothing(quantconnect_sandbox: Sandbox) -> None:
    async def kill() -> None:
        trigger = live_trigger(running_id(quantconnect_sandbox), target=OVER)
        waiting = asyncio.ensure_future(first_event(trigger))
        while not quantconnect_sandbox.requests("live/list"):
            await asyncio.sleep(0.01)
        await trigger.on_kill()
        await trigger.cleanup()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(kill())
    assert {each["endpoint"] for each in quantconnect_sandbox.requests()} == {"live/list"}
    assert quantconnect_sandbox.deployments(1002)[0]["status"] == "Running"


def test_five_hundred_waits_send_no_more_requests_than_one(quantconnect_sandbox: Sandbox) -> None:
    deploy_id = running_id(quantconnect_sandbox)

    async def wait(many: int) -> int:
        before = len(quantconnect_sandbox.requests())
        triggers = [
            live_trigger(deploy_id, target=OVER, deadline=time.time() + 1.0, poll_interval_seconds=0.2)
            for _ in range(many)
        ]
        await asyncio.gather(*map(first_event, triggers))
        return len(quantconnect_sandbox.requests()) - before

    one = asyncio.run(wait(1))
    assert asyncio.run(wait(500)) <= one + 2


def test_event_loop_stays_free_while_the_api_stalls(quantconnect_sandbox: Sandbox) -> None:
    asyncio.run(first_event(live_trigger(running_id(quantconnect_sandbox))))  # what is loaded once, is
    quantconnect_sandbox.add_fault("*", times=None, delay_seconds=0.6)
    stalls: list[float] = []

    async def heartbeat() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            stalls.append(time.perf_counter() - before - 0.005)

    async def wait() -> None:
        beating = asyncio.ensure_future(heartbeat())
        triggers = [live_trigger(target=OVER, deadline=time.time() + 1.5) for _ in range(20)]
        await asyncio.gather(*map(first_event, triggers))
        beating.cancel()

    asyncio.run(wait())
    # The whole machine may be busy; what a blocking request would cost is a stall as long as its delay.
    assert sorted(stalls)[int(len(stalls) * 0.98)] < 0.05
    assert max(stalls) < 0.5


def finished_build() -> CompileTrigger:
    from quantconnect_provider.hooks.quantconnect import QuantConnectHook

    with QuantConnectHook().get_conn() as client:
        compile_id = client.create_compile(1001).compile_id
    return CompileTrigger(
        quantconnect_conn_id=CONN,
        project_id=1001,
        compile_id=compile_id,
        deadline=time.time() + 20,
        poll_interval_seconds=0.02,
    )


def test_finished_build_ends_the_wait(quantconnect_sandbox: Sandbox) -> None:
    wait_result = read_wait_result(run(finished_build()))
    assert wait_result.verdict is WaitState.DONE
    assert "BuildSuccess" in wait_result.message


def test_holdings_are_polled_until_the_limit(quantconnect_sandbox: Sandbox) -> None:
    trigger = FlatTrigger(
        quantconnect_conn_id=CONN, project_id=1003, deadline=time.time() + 0.3, poll_interval_seconds=0.1
    )
    wait_result = read_wait_result(run(trigger))
    assert wait_result.verdict is WaitState.TIMEOUT
    assert "SPY" in wait_result.message
