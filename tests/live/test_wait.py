from __future__ import annotations

import logging
from typing import Any

import pytest

from quantconnect_provider.client.errors import CredentialsError, QuantConnectError, ServerError
from quantconnect_provider.live.deployment_errors import (
    DeploymentFailedError,
    WaitTimeoutError,
    WatchFailedError,
)
from quantconnect_provider.live.observation import Observation
from quantconnect_provider.live.polling import FailureBudget, Polling, polls
from quantconnect_provider.live.waiting import (
    OVER,
    RUNNING,
    Wait,
    WaitResult,
    WaitState,
    WaitTarget,
    evaluate,
    poll_until,
)


def seen(status: str, message: str = "") -> Observation:
    return Observation("L-1", status, message=message)


@pytest.mark.parametrize(
    ("target", "status", "verdict"),
    [
        (RUNNING, "Initializing", WaitState.WAIT),
        (RUNNING, "Hibernating", WaitState.WAIT),
        (RUNNING, "Running", WaitState.DONE),
        (RUNNING, "DeployError", WaitState.ENDED),
        (RUNNING, "Stopped", WaitState.ENDED),
        (OVER, "Running", WaitState.WAIT),
        (OVER, "Stopped", WaitState.DONE),
        (OVER, "RuntimeError", WaitState.DONE),
        (("Liquidated",), "Liquidated", WaitState.DONE),
        (("Liquidated",), "Stopped", WaitState.ENDED),
    ],
)
def test_a_poll_means_what_the_target_makes_of_it(
    target: WaitTarget, status: str, verdict: WaitState
) -> None:
    assert evaluate(target, seen(status), now=0.0, deadline=10.0).verdict is verdict


@pytest.mark.parametrize("observation", [None, seen("Initializing")])
def test_a_wait_ends_at_its_deadline(observation: Observation | None) -> None:
    assert evaluate(RUNNING, observation, now=9.9, deadline=10.0).verdict is WaitState.WAIT
    assert evaluate(RUNNING, observation, now=10.0, deadline=10.0).verdict is WaitState.TIMEOUT


def test_the_target_counts_even_after_the_deadline() -> None:
    assert evaluate(RUNNING, seen("Running"), now=11.0, deadline=10.0).verdict is WaitState.DONE


def test_the_api_s_message_is_in_the_result_of_an_end() -> None:
    assert (
        "login refused" in evaluate(RUNNING, seen("DeployError", "login refused"), now=0, deadline=9).message
    )


def test_a_runtime_error_with_automatic_redeploy_gets_a_grace_window() -> None:
    wait = Wait(RUNNING, deadline=1e9, restart_grace_seconds=60.0)

    assert wait.saw(seen("RuntimeError"), 0.0).verdict is WaitState.WAIT
    assert wait.saw(seen("RuntimeError"), 59.0).verdict is WaitState.WAIT
    assert wait.saw(seen("RuntimeError"), 60.0).verdict is WaitState.ENDED


def test_a_restart_begins_the_grace_window_anew() -> None:
    wait = Wait(RUNNING, deadline=1e9, restart_grace_seconds=60.0)
    wait.saw(seen("RuntimeError"), 0.0)
    wait.saw(seen("Initializing"), 50.0)

    assert wait.saw(seen("RuntimeError"), 70.0).verdict is WaitState.WAIT


def test_without_automatic_redeploy_a_runtime_error_is_the_end() -> None:
    assert Wait(RUNNING, deadline=1e9).saw(seen("RuntimeError"), 0.0).verdict is WaitState.ENDED


def test_failed_polls_are_tolerated_and_counted_in_a_row() -> None:
    wait = Wait(RUNNING, deadline=1e9, failed_polls=2)
    outage = ServerError("live/list was answered with HTTP 500.")

    verdicts = [wait.failed(outage, 0.0).verdict, wait.failed(outage, 1.0).verdict]
    wait.saw(seen("Initializing"), 2.0)
    verdicts += [wait.failed(outage, now).verdict for now in (3.0, 4.0, 5.0)]

    assert verdicts == [WaitState.WAIT, WaitState.WAIT, WaitState.WAIT, WaitState.WAIT, WaitState.BLIND]


def test_an_error_that_waiting_cannot_cure_ends_the_wait_at_once() -> None:
    wait_result = Wait(RUNNING, deadline=1e9).failed(CredentialsError("no"), 0.0)

    assert (wait_result.verdict, wait_result.retryable) == (WaitState.BLIND, False)


def test_failed_polls_end_at_the_deadline() -> None:
    assert Wait(RUNNING, deadline=5.0).failed(ServerError("500"), 5.0).verdict is WaitState.TIMEOUT


def test_an_unknown_status_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    wait = Wait(RUNNING, deadline=1e9)

    with caplog.at_level(logging.INFO):
        for now in range(3):
            wait.saw(seen("Hibernating"), float(now))

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Hibernating" in caplog.text


def test_each_change_of_status_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    wait = Wait(RUNNING, deadline=1e9)

    with caplog.at_level(logging.INFO):
        for status in ("InQueue", "InQueue", "Running"):
            wait.saw(seen(status), 0.0)

    assert [record.getMessage() for record in caplog.records] == ["L-1: InQueue", "L-1: InQueue -> Running"]


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (WaitState.ENDED, DeploymentFailedError),
        (WaitState.TIMEOUT, WaitTimeoutError),
        (WaitState.BLIND, WatchFailedError),
    ],
)
def test_each_bad_end_is_an_error_of_its_own(verdict: WaitState, error: type[QuantConnectError]) -> None:
    with pytest.raises(error):
        WaitResult(verdict, message="why").raise_unless_done()


@pytest.mark.parametrize("retryable", [True, False])
def test_a_wait_that_failed_for_good_is_not_retried(retryable: bool) -> None:
    with pytest.raises(WatchFailedError) as failed:
        WaitResult(WaitState.BLIND, retryable=retryable).raise_unless_done()

    assert failed.value.retryable is retryable


@pytest.mark.parametrize("verdict", WaitState)
def test_a_result_survives_a_trigger_event(verdict: WaitState) -> None:
    wait_result = WaitResult(verdict, "L-1", "Running", "text", retryable=True)

    assert WaitResult.from_json(wait_result.to_json()) == wait_result


@pytest.mark.parametrize("payload", [{}, {"verdict": "fine"}, {"status": "success"}, None])
def test_an_unknown_event_is_never_success(payload: Any) -> None:
    with pytest.raises(ValueError, match="not the event"):
        WaitResult.from_json(payload)


def test_polling_ends_with_the_target_after_failed_polls() -> None:
    answers: list[Any] = [ServerError("500"), seen("InQueue"), None, seen("Running")]
    pauses: list[float] = []

    def ask() -> Observation | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    wait_result = poll_until(ask, Wait(RUNNING, deadline=100.0), Polling(7.0, lambda: 95.0, pauses.append))

    assert wait_result.verdict is WaitState.DONE
    assert pauses == [5.0, 5.0, 5.0]


def asked(*answers: Any) -> Any:
    """An API that gives these answers in turn, and raises those that are errors."""
    left = list(answers)

    def ask() -> Any:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def ticking(interval_seconds: float) -> Polling:
    """Polling on a clock that only its own pauses move, from 0."""
    now = [0.0]
    return Polling(interval_seconds, lambda: now[0], lambda seconds: now.append(now.pop() + seconds))


def test_polls_go_on_until_the_limit_and_ask_once_more_at_it() -> None:
    assert list(polls(asked(1, 2, 3, 4), ticking(4.0), until=10.0)) == [1, 2, 3, 4]


def test_polls_ask_once_though_the_limit_has_passed() -> None:
    assert list(polls(asked("late"), ticking(4.0), until=-1.0)) == ["late"]


def test_failed_polls_yield_nothing_and_leave_their_reason() -> None:
    budget, outage = FailureBudget(), ServerError("HTTP 500")
    assert list(polls(asked(1, outage, outage), ticking(5.0), until=10.0, budget=budget)) == [1]
    assert budget.last_error is outage


def test_an_answer_restores_the_budget() -> None:
    outage = ServerError("HTTP 500")
    answers = asked(outage, outage, 1, outage, outage, 2)
    assert list(polls(answers, ticking(1.0), until=5.0, budget=FailureBudget(2))) == [1, 2]


def test_a_spent_budget_ends_the_polling() -> None:
    outages = [ServerError("HTTP 500")] * 3
    with pytest.raises(WatchFailedError, match="3 polls in a row"):
        list(polls(asked(*outages), ticking(1.0), until=9.0, budget=FailureBudget(2)))


def test_an_error_that_waiting_cannot_cure_passes_through_the_polling() -> None:
    with pytest.raises(CredentialsError):
        list(polls(asked(CredentialsError("no")), ticking(1.0), until=9.0))


def test_a_wait_whose_last_poll_failed_times_out_with_the_reason() -> None:
    answers = asked(seen("InQueue"), ServerError("HTTP 503"))
    result = poll_until(answers, Wait(RUNNING, deadline=5.0), ticking(5.0))
    assert result.verdict is WaitState.TIMEOUT
    assert "HTTP 503" in result.message
