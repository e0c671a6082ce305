from __future__ import annotations

import logging
from typing import Any

import pytest

from quantconnect_provider.client.errors import CredentialsError, QuantConnectError, ServerError
from quantconnect_provider.live.errors import DeploymentFailedError, WaitTimeoutError, WatchFailedError
from quantconnect_provider.live.looks import Observation, Pace
from quantconnect_provider.live.wait import OVER, RUNNING, Judgement, Target, Verdict, Wait, judge, watch


def seen(status: str, message: str = "") -> Observation:
    return Observation("L-1", status, message=message)


@pytest.mark.parametrize(
    ("target", "status", "verdict"),
    [
        (RUNNING, "Initializing", Verdict.WAIT),
        (RUNNING, "Hibernating", Verdict.WAIT),
        (RUNNING, "Running", Verdict.DONE),
        (RUNNING, "DeployError", Verdict.ENDED),
        (RUNNING, "Stopped", Verdict.ENDED),
        (OVER, "Running", Verdict.WAIT),
        (OVER, "Stopped", Verdict.DONE),
        (OVER, "RuntimeError", Verdict.DONE),
        (("Liquidated",), "Liquidated", Verdict.DONE),
        (("Liquidated",), "Stopped", Verdict.ENDED),
    ],
)
def test_a_look_is_judged_by_what_is_waited_for(target: Target, status: str, verdict: Verdict) -> None:
    assert judge(target, seen(status), now=0.0, deadline=10.0).verdict is verdict


@pytest.mark.parametrize("observation", [None, seen("Initializing")])
def test_a_wait_ends_at_its_deadline(observation: Observation | None) -> None:
    assert judge(RUNNING, observation, now=9.9, deadline=10.0).verdict is Verdict.WAIT
    assert judge(RUNNING, observation, now=10.0, deadline=10.0).verdict is Verdict.TIMEOUT


def test_what_was_waited_for_counts_even_after_the_deadline() -> None:
    assert judge(RUNNING, seen("Running"), now=11.0, deadline=10.0).verdict is Verdict.DONE


def test_the_api_s_message_is_in_the_judgement_of_an_end() -> None:
    assert "login refused" in judge(RUNNING, seen("DeployError", "login refused"), now=0, deadline=9).message


def test_a_runtime_error_with_automatic_redeploy_gets_a_grace_window() -> None:
    wait = Wait(RUNNING, deadline=1e9, restart_grace_seconds=60.0)

    assert wait.saw(seen("RuntimeError"), 0.0).verdict is Verdict.WAIT
    assert wait.saw(seen("RuntimeError"), 59.0).verdict is Verdict.WAIT
    assert wait.saw(seen("RuntimeError"), 60.0).verdict is Verdict.ENDED


def test_a_restart_begins_the_grace_window_anew() -> None:
    wait = Wait(RUNNING, deadline=1e9, restart_grace_seconds=60.0)
    wait.saw(seen("RuntimeError"), 0.0)
    wait.saw(seen("Initializing"), 50.0)

    assert wait.saw(seen("RuntimeError"), 70.0).verdict is Verdict.WAIT


def test_without_automatic_redeploy_a_runtime_error_is_the_end() -> None:
    assert Wait(RUNNING, deadline=1e9).saw(seen("RuntimeError"), 0.0).verdict is Verdict.ENDED


def test_a_run_of_failed_looks_is_tolerated_and_counted_in_a_row() -> None:
    wait = Wait(RUNNING, deadline=1e9, failed_looks=2)
    outage = ServerError("live/list was answered with HTTP 500.")

    verdicts = [wait.failed(outage, 0.0).verdict, wait.failed(outage, 1.0).verdict]
    wait.saw(seen("Initializing"), 2.0)
    verdicts += [wait.failed(outage, now).verdict for now in (3.0, 4.0, 5.0)]

    assert verdicts == [Verdict.WAIT, Verdict.WAIT, Verdict.WAIT, Verdict.WAIT, Verdict.BLIND]


def test_an_error_that_cannot_pass_ends_the_wait_at_once() -> None:
    judgement = Wait(RUNNING, deadline=1e9).failed(CredentialsError("no"), 0.0)

    assert (judgement.verdict, judgement.retryable) == (Verdict.BLIND, False)


def test_failed_looks_do_not_outlast_the_deadline() -> None:
    assert Wait(RUNNING, deadline=5.0).failed(ServerError("500"), 5.0).verdict is Verdict.TIMEOUT


def test_an_unknown_status_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    wait = Wait(RUNNING, deadline=1e9)

    with caplog.at_level(logging.INFO):
        for now in range(3):
            wait.saw(seen("Hibernating"), float(now))

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Hibernating" in caplog.text


def test_the_way_through_the_statuses_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    wait = Wait(RUNNING, deadline=1e9)

    with caplog.at_level(logging.INFO):
        for status in ("InQueue", "InQueue", "Running"):
            wait.saw(seen(status), 0.0)

    assert [record.getMessage() for record in caplog.records] == ["L-1: InQueue", "L-1: InQueue -> Running"]


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (Verdict.ENDED, DeploymentFailedError),
        (Verdict.TIMEOUT, WaitTimeoutError),
        (Verdict.BLIND, WatchFailedError),
    ],
)
def test_each_bad_end_is_an_error_of_its_own(verdict: Verdict, error: type[QuantConnectError]) -> None:
    with pytest.raises(error):
        Judgement(verdict, message="why").raise_unless_done()


@pytest.mark.parametrize("retryable", [True, False])
def test_looks_that_failed_for_good_are_not_retried(retryable: bool) -> None:
    with pytest.raises(WatchFailedError) as failed:
        Judgement(Verdict.BLIND, retryable=retryable).raise_unless_done()

    assert failed.value.retryable is retryable


@pytest.mark.parametrize("verdict", Verdict)
def test_a_judgement_survives_a_trigger_event(verdict: Verdict) -> None:
    judgement = Judgement(verdict, "L-1", "Running", "text", retryable=True)

    assert Judgement.from_json(judgement.to_json()) == judgement


@pytest.mark.parametrize("payload", [{}, {"verdict": "fine"}, {"status": "success"}, None])
def test_an_event_that_is_not_understood_is_never_success(payload: Any) -> None:
    with pytest.raises(ValueError, match="not the event"):
        Judgement.from_json(payload)


def test_watching_ends_with_what_it_waited_for_after_failed_looks() -> None:
    answers: list[Any] = [ServerError("500"), seen("InQueue"), None, seen("Running")]
    pauses: list[float] = []

    def look() -> Observation | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    judgement = watch(look, Wait(RUNNING, deadline=100.0), Pace(7.0, lambda: 95.0, pauses.append))

    assert judgement.verdict is Verdict.DONE
    assert pauses == [5.0, 5.0, 5.0]
