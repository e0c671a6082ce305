"""What people and the retry policy read: errors of the domain, failures with log lines, statistics."""

from __future__ import annotations

import pickle

import pytest

from quantconnect_provider.client import LiveDeployment
from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live import deployment_errors as errors
from quantconnect_provider.live.notes import MemoryNotes
from quantconnect_provider.live.post_mortem import deployment_failed, last_log_lines
from quantconnect_provider.live.statistics import statistics_lines
from tests.live.task import PROJECT, Desk, wait_for

ALL = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, QuantConnectError) and kind is not QuantConnectError
]
RETRYABLE = {errors.NoFreeNodeError, errors.NotDeployedError, errors.WatchFailedError}


@pytest.mark.parametrize("kind", ALL)
def test_only_what_a_retry_can_help_is_retried(kind: type[QuantConnectError]) -> None:
    assert kind("text").retryable is (kind in RETRYABLE)


@pytest.mark.parametrize("kind", ALL)
def test_errors_survive_a_trip_to_another_process(kind: type[QuantConnectError]) -> None:
    error = kind("text", endpoint="live/create", api_errors=("REF #12",))
    error.retryable = True

    twin = pickle.loads(pickle.dumps(error))

    assert (type(twin), str(twin), twin.api_errors, twin.retryable) == (kind, str(error), ("REF #12",), True)


@pytest.mark.parametrize("kind", ALL)
def test_errors_say_what_to_do(kind: type[QuantConnectError]) -> None:
    assert str(kind("It happened.")).startswith("It happened. ")


def test_a_failed_deployment_shows_its_own_last_log_lines(desk: Desk) -> None:
    first = desk.sandbox.deploy(PROJECT)
    desk.sandbox.fail(first, logs=["a line of the deployment before"])
    second = desk.sandbox.deploy(PROJECT)
    desk.sandbox.fail(second, message="Runtime Error: no data", logs=[f"line {n}" for n in range(30)])

    error = deployment_failed(desk.setup, PROJECT, second, f"{second} ended.")

    assert "Runtime Error: no data" in str(error)
    assert "line 29" in str(error)
    assert "deployment before" not in str(error)
    assert len(last_log_lines(desk.setup, PROJECT, second, lines=5)) == 5


def test_a_log_that_cannot_be_read_does_not_hide_the_failure(desk: Desk) -> None:
    dead = desk.sandbox.deploy(PROJECT)
    desk.sandbox.fail(dead, message="Runtime Error: no data")
    desk.sandbox.add_fault("live/logs/read", status=500, times=None)

    assert "no data" in str(deployment_failed(desk.setup, PROJECT, dead, "It ended."))


def test_the_statistics_of_a_running_deployment_are_lines_for_a_log(desk: Desk) -> None:
    made = desk.create(MemoryNotes())
    wait_for(lambda: desk.setup.read_live(PROJECT).status == "Running")

    lines = statistics_lines(desk.setup.read_live(PROJECT))

    assert lines[0] == f"{made.deploy_id} of project {PROJECT} 'Momentum': Running"
    equity = next(line for line in lines if line.split() == ["Equity", "$1,000.00"])
    launched = next(line for line in lines if line.split()[0] == "Launched")
    assert equity.index("$") == launched.index("20")


def test_a_fresh_deployment_has_no_statistics_yet() -> None:
    fresh = LiveDeployment(deploy_id="L-1", status="InQueue", project_id=PROJECT, message=" Waiting. ")

    assert statistics_lines(fresh) == [
        f"L-1 of project {PROJECT}: InQueue",
        "  Statistics  none yet",
        "  Message     Waiting.",
    ]
