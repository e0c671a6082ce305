from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.client.errors import (
    NeverDeployedError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
)
from quantconnect_provider.live.deployment_errors import NotCurrentError, NotFlatError, WaitTimeoutError
from quantconnect_provider.live.notes import MemoryNotes
from quantconnect_provider.live.polling import Polling
from quantconnect_provider.live.wind_down.holdings import (
    WindDownResult,
    check_flat,
    conclude,
    holdings_left,
    must_be_awaited,
)
from quantconnect_provider.live.wind_down.steps import Action, Step, WindDown
from tests.live.task import PACE, PROJECT, Desk, Kill, KillPoint

SPY = {"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 12.5, "averagePrice": 500.0}
SOON = Polling(interval_seconds=0.02)


def concluded(desk: Desk, step: Step, action: Action, patience: float = 2.0) -> WindDownResult:
    return conclude(desk.setup, step, action, flat_deadline=SOON.clock() + patience, polling=SOON)


@pytest.mark.parametrize("action", Action)
def test_a_deployment_that_is_over_already_counts_as_done(desk: Desk, action: Action) -> None:
    over = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_status(over, "Stopped")

    step = desk.wind_down(MemoryNotes(), action)

    assert (step.deploy_id, step.status, step.already_over) == (over, "Stopped", True)
    assert desk.asked() == {over: []}


@pytest.mark.parametrize("action", Action)
def test_a_project_that_was_never_live_is_a_clear_error(desk: Desk, action: Action) -> None:
    with pytest.raises(NeverDeployedError, match="never"):
        desk.wind_down(MemoryNotes(), action)


@pytest.mark.parametrize("action", Action)
def test_a_deployment_that_the_project_does_not_have_is_a_clear_error(desk: Desk, action: Action) -> None:
    running = desk.sandbox.deploy(PROJECT)

    with pytest.raises(NotFoundError, match=f"Project {PROJECT} has no deployment L-other"):
        desk.wind_down(MemoryNotes(), action, deploy_id="L-other")

    assert desk.asked() == {running: []}


def test_a_task_that_never_began_is_not_noted_as_finished(desk: Desk) -> None:
    notes = MemoryNotes()
    WindDown(desk.setup, PROJECT, Action.STOP, notes, polling=PACE).mark_finished()
    target = desk.sandbox.deploy(PROJECT)

    assert desk.wind_down(notes, Action.STOP).deploy_id == target


@pytest.mark.parametrize("action", Action)
def test_the_end_is_believed_when_it_is_seen(desk: Desk, action: Action) -> None:
    target = desk.sandbox.deploy(PROJECT)

    step = desk.wind_down(MemoryNotes(), action)

    assert (step.deploy_id, step.over, step.already_over) == (target, True, False)
    assert desk.asked() == {target: [action.value]}


def test_a_deployment_that_does_not_end_is_an_error(desk: Desk) -> None:
    desk.sandbox.configure_project(PROJECT, deploy={"stop_seconds": 3600})
    target = desk.sandbox.deploy(PROJECT)

    with pytest.raises(WaitTimeoutError, match=target):
        WindDown(desk.setup, PROJECT, Action.STOP, MemoryNotes(), polling=PACE).run(PACE.clock() + 0.1)


def test_a_clear_answer_is_not_repeated_however_long_the_end_takes(desk: Desk) -> None:
    desk.sandbox.configure_project(PROJECT, deploy={"stop_seconds": 0.4})
    target = desk.sandbox.deploy(PROJECT)

    desk.wind_down(MemoryNotes(), Action.STOP)

    assert desk.asked() == {target: ["stop"]}


def test_after_an_unclear_answer_a_deployment_that_still_runs_is_told_again(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    desk.sandbox.add_fault("live/update/stop", drop=True, when="before")

    step = desk.wind_down(MemoryNotes(), Action.STOP)

    assert (step.over, desk.sends("live/update/stop")) == (True, 2)
    assert desk.asked() == {target: ["stop"]}


def test_a_retry_never_touches_a_deployment_started_later(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    notes = MemoryNotes()
    with pytest.raises(Kill):
        desk.wind_down(notes, Action.STOP, KillPoint("stop_live", "after"))
    desk.sandbox.set_status(target, "Stopped")
    newer = desk.sandbox.deploy(PROJECT)

    step = desk.wind_down(notes, Action.STOP)

    assert step.deploy_id == target
    assert desk.asked() == {target: ["stop"], newer: []}


def test_a_deployment_that_is_not_the_current_one_is_not_sent_for(desk: Desk) -> None:
    meant = desk.sandbox.deploy(PROJECT)
    newer = desk.sandbox.deploy(PROJECT, node_id="LN-9")

    with pytest.raises(NotCurrentError, match=newer):
        desk.wind_down(MemoryNotes(), Action.LIQUIDATE, deploy_id=meant)

    assert desk.asked() == {meant: [], newer: []}


def test_an_older_deployment_that_runs_beside_an_ended_one_is_not_overlooked(desk: Desk) -> None:
    older = desk.sandbox.deploy(PROJECT)
    newer = desk.sandbox.deploy(PROJECT, node_id="LN-9")
    desk.sandbox.set_status(newer, "Stopped")

    with pytest.raises(NotCurrentError, match=older):
        desk.wind_down(MemoryNotes(), Action.STOP)


def test_clearing_a_finished_wind_down_acts_on_what_runs_then(desk: Desk) -> None:
    notes = MemoryNotes()
    first = desk.sandbox.deploy(PROJECT)
    desk.wind_down(notes, Action.STOP)
    second = desk.sandbox.deploy(PROJECT)

    assert desk.wind_down(notes, Action.STOP).deploy_id == second
    assert desk.asked() == {first: ["stop"], second: ["stop"]}


def test_a_retry_of_a_finished_task_credits_the_attempt_that_sent(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    notes = MemoryNotes()
    desk.wind_down(notes, Action.STOP)

    again = desk.wind_down(notes, Action.STOP)

    assert (again.deploy_id, again.status, again.already_over) == (target, "Stopped", False)
    assert desk.asked() == {target: ["stop"]}


def test_a_retry_after_a_kill_credits_the_attempt_that_sent(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    notes = MemoryNotes()
    with pytest.raises(Kill):
        desk.wind_down(notes, Action.LIQUIDATE, KillPoint("liquidate_live", "after"))
    desk.sandbox.set_status(target, "Liquidated")

    step = desk.wind_down(notes, Action.LIQUIDATE)
    result = concluded(desk, step, Action.LIQUIDATE)

    assert (result.already_over, desk.asked()) == (False, {target: ["liquidate"]})
    assert "already" not in str(result)


def test_a_retry_of_a_task_that_sent_nothing_still_says_that_it_was_over_already(desk: Desk) -> None:
    desk.sandbox.set_status(desk.sandbox.deploy(PROJECT), "Stopped")
    notes = MemoryNotes()
    desk.wind_down(notes, Action.STOP)

    assert desk.wind_down(notes, Action.STOP).already_over


def test_a_refusal_because_it_ended_meanwhile_is_no_error(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    ends = {"verb": "set_status", "deploy_id": target, "status": "RuntimeError"}
    desk.sandbox.add_fault("live/update/stop", control=[ends])

    assert desk.wind_down(MemoryNotes(), Action.STOP).status == "RuntimeError"


def test_a_refusal_while_it_runs_is_an_error(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT)
    desk.sandbox.add_fault("live/update/stop", errors=["Not your project."])

    with pytest.raises(RefusedError, match="Not your project"):
        desk.wind_down(MemoryNotes(), Action.STOP)


def test_steps_let_a_task_defer_between_send_and_end(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    desk.sandbox.add_fault("live/update/stop", drop=True, when="before")
    notes = MemoryNotes()

    step = WindDown(desk.setup, PROJECT, "stop", notes, resend_seconds=60.0).step()

    assert (step.deploy_id, step.over) == (target, False)
    assert step.again_at is not None
    assert step.wait_until(0.0) == 0.0
    assert step.wait_until(1e12) == step.again_at


# --- what is left -----------------------------------------------------------------------------------


def test_a_liquidation_reports_that_nothing_is_left(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_holdings(target, [SPY])

    result = concluded(desk, desk.wind_down(MemoryNotes(), Action.LIQUIDATE), Action.LIQUIDATE)

    assert result.flat
    assert "Holdings left: none" in str(result)


def test_a_liquidation_waits_for_a_portfolio_that_lags(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_holdings(target, [SPY])
    desk.sandbox.configure_project(PROJECT, deploy={"unsellable": ["SPY"]})
    step = desk.wind_down(MemoryNotes(), Action.LIQUIDATE)
    sold = {"verb": "set_holdings", "deploy_id": target, "holdings": []}
    desk.sandbox.add_fault("live/portfolio/read", nth=3, control=[sold])

    assert concluded(desk, step, Action.LIQUIDATE).flat


def test_what_cannot_be_sold_is_reported_and_fails_if_asked(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_holdings(target, [SPY])
    desk.sandbox.configure_project(PROJECT, deploy={"unsellable": ["SPY"]})

    result = concluded(desk, desk.wind_down(MemoryNotes(), Action.LIQUIDATE), Action.LIQUIDATE, 0.05)

    assert [str(left) for left in result.holdings_left or []] == ["12.5 SPY R735QTJ8XC9X worth 6250.0"]
    with pytest.raises(NotFlatError, match=r"12\.5 SPY"):
        check_flat(result)


def test_holdings_that_cannot_be_read_are_not_held_to_be_gone(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT)
    step = desk.wind_down(MemoryNotes(), Action.LIQUIDATE)
    desk.sandbox.add_fault("live/portfolio/read", errors=["No portfolio."], times=None)

    result = concluded(desk, step, Action.LIQUIDATE)

    assert result.flat is None
    with pytest.raises(NotFlatError, match="could not be read"):
        check_flat(result)


def test_a_stop_keeps_and_does_not_judge_holdings(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_holdings(target, [SPY])

    result = concluded(desk, desk.wind_down(MemoryNotes(), Action.STOP), Action.STOP)

    check_flat(result)
    assert (result.holdings_left, len(holdings_left(desk.setup, PROJECT))) == (None, 1)


@pytest.mark.parametrize(
    ("status", "already_over", "awaited"),
    [("Liquidated", False, True), ("Liquidated", True, True), ("Stopped", True, False)],
)
def test_holdings_are_awaited_only_where_something_sells_them(
    status: str, already_over: bool, awaited: bool
) -> None:
    step = Step(PROJECT, "L-1", status, over=True, already_over=already_over)

    assert must_be_awaited(Action.LIQUIDATE, step) is awaited


def test_a_result_is_json(desk: Desk) -> None:
    desk.sandbox.set_holdings(desk.sandbox.deploy(PROJECT), [SPY])
    desk.sandbox.configure_project(PROJECT, deploy={"unsellable": ["SPY"]})

    result: dict[str, Any] = concluded(
        desk, desk.wind_down(MemoryNotes(), Action.LIQUIDATE), Action.LIQUIDATE, 0.0
    ).to_json()

    assert result["holdings_left"] == [
        {"symbol": "SPY R735QTJ8XC9X", "quantity": "12.5", "market_value": "6250.0"}
    ]
    assert result["flat"] is False


@pytest.mark.parametrize(("ago", "sends"), [(0, 1), (3600, 0)])
def test_a_fresh_runtime_error_is_told_to_end_because_it_may_restart(
    desk: Desk, ago: int, sends: int
) -> None:
    failed = desk.sandbox.deploy(PROJECT)
    desk.sandbox.fail(failed)

    step = desk.wind_down(MemoryNotes(), Action.STOP, clock_ahead=ago)

    assert (step.over, step.already_over) == (True, True)  # the sandbox refuses: it is over
    assert desk.sends("live/update/stop") == sends


def test_a_retry_after_a_clear_answer_does_not_send_again(desk: Desk) -> None:
    desk.sandbox.configure_project(PROJECT, deploy={"stop_seconds": 3600})
    target = desk.sandbox.deploy(PROJECT)
    notes = MemoryNotes()
    WindDown(desk.setup, PROJECT, Action.STOP, notes).step()

    much_later = Polling(clock=lambda: SOON.clock() + 1000.0)
    again = WindDown(desk.setup, PROJECT, Action.STOP, notes, polling=much_later).step()

    assert (again.over, again.again_at) == (False, None)
    assert desk.asked() == {target: ["stop"]}


def test_a_send_that_certainly_did_nothing_is_repeated_by_the_next_attempt_at_once(desk: Desk) -> None:
    target = desk.sandbox.deploy(PROJECT)
    desk.sandbox.add_fault("live/update/stop", status=429, retry_after=0)
    notes = MemoryNotes()
    with pytest.raises(RateLimitedError):
        WindDown(desk.setup, PROJECT, Action.STOP, notes, resend_seconds=3600.0).step()

    WindDown(desk.setup, PROJECT, Action.STOP, notes, resend_seconds=3600.0).step()

    assert desk.asked() == {target: ["stop"]}
