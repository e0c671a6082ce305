"""What a deploying task does when nothing is wrong with the network, but the world is not as expected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quantconnect_provider.client.errors import (
    InvalidSettingError,
    RefusedError,
)
from quantconnect_provider.live.deploy.journal import KEY, mark_failed, mark_finished
from quantconnect_provider.live.deployment_errors import (
    AlreadyRunningError,
    DeploymentEndedError,
    DeploymentFailedError,
    DeploymentUncertainError,
    NoFreeNodeError,
)
from quantconnect_provider.live.notes import MemoryNotes
from tests.live.task import PROJECT, Desk, Kill, KillPoint


def test_a_first_attempt_creates_on_the_first_free_node(desk: Desk) -> None:
    made = desk.create(MemoryNotes())

    assert (made.how, made.project_id) == ("created", PROJECT)
    assert desk.sandbox.deployments(PROJECT)[0]["node_id"] == "LN-1"


def test_a_retry_resumes_the_deployment_of_the_attempt_before(desk: Desk) -> None:
    notes = MemoryNotes()
    made = desk.create(notes)

    again = desk.create(notes)

    assert (again.deploy_id, again.how) == (made.deploy_id, "resumed")


# --- a deployment that is not this task's runs ------------------------------------------------------


def test_fail_leaves_a_running_deployment_alone(desk: Desk) -> None:
    other = desk.sandbox.deploy(PROJECT)

    with pytest.raises(AlreadyRunningError, match=other):
        desk.create(MemoryNotes())

    assert desk.asked() == {other: []}


def test_adopt_takes_a_running_deployment(desk: Desk) -> None:
    other = desk.sandbox.deploy(PROJECT)

    made = desk.create(MemoryNotes(), if_running="adopt")

    assert (made.deploy_id, made.how) == (other, "adopted")


def test_adopt_creates_when_nothing_runs(desk: Desk) -> None:
    assert desk.create(MemoryNotes(), if_running="adopt").how == "created"


@pytest.mark.parametrize("if_running", ["adopt", "redeploy"])
def test_two_running_deployments_are_for_a_person_to_sort_out(desk: Desk, if_running: str) -> None:
    desk.sandbox.deploy(PROJECT)
    desk.sandbox.deploy(PROJECT, node_id="LN-9")

    with pytest.raises(AlreadyRunningError, match="Several"):
        desk.create(MemoryNotes(), if_running=if_running)

    assert [target for target in desk.asked().values() if target] == []


def test_an_unknown_status_counts_as_running(desk: Desk) -> None:
    other = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_status(other, "Hibernating")

    with pytest.raises(AlreadyRunningError, match="Hibernating"):
        desk.create(MemoryNotes())


def test_redeploy_does_not_stop_what_someone_else_starts_meanwhile(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT)
    notes = MemoryNotes()
    with pytest.raises(Kill):  # the old one is over, and the attempt dies
        desk.create(notes, KillPoint("note", "after", 5), if_running="redeploy")
    foreign = desk.sandbox.deploy(PROJECT)

    with pytest.raises(AlreadyRunningError, match=foreign):
        desk.create(notes, if_running="redeploy")

    assert desk.asked() == {old: ["stop"], foreign: []}


def test_clearing_after_that_redeploys_what_someone_else_started(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT)
    notes = MemoryNotes()
    with pytest.raises(Kill):
        desk.create(notes, KillPoint("note", "after", 5), if_running="redeploy")
    foreign = desk.sandbox.deploy(PROJECT)
    with pytest.raises(AlreadyRunningError):
        desk.create(notes, if_running="redeploy")

    made = desk.create(notes, if_running="redeploy")

    assert desk.asked()[foreign] == ["stop"]
    assert desk.running() == [made.deploy_id]


def test_a_redeploy_without_any_free_node_waits_for_the_one_that_it_frees(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT, node_id="LN-1")  # LN-2 is the bystander's

    made = desk.create(MemoryNotes(), if_running="redeploy")

    assert desk.running() == [made.deploy_id]
    assert made.deploy_id != old


def test_a_redeploy_waits_for_a_node_that_is_let_go_late(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT, node_id="LN-1")
    for nth, busy in ((1, True), (3, False)):
        order = {"verb": "set_node_busy", "node_id": "LN-1", "busy": busy}
        desk.sandbox.add_fault("projects/nodes/read", nth=nth, control=[order])

    assert desk.create(MemoryNotes(), if_running="redeploy").how == "created"


# --- cleared tasks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("on_clear", ["reuse", "deploy"])
def test_clearing_a_finished_task_keeps_the_deployment_while_it_runs(desk: Desk, on_clear: str) -> None:
    notes = MemoryNotes()
    made = desk.create(notes)
    mark_finished(notes)

    assert desk.create(notes, on_clear=on_clear, if_running="redeploy").deploy_id == made.deploy_id


@pytest.mark.parametrize("outcome", [mark_finished, lambda notes: mark_failed(notes, "RuntimeError")])
def test_clearing_a_task_whose_deployment_ended_says_so(desk: Desk, outcome: Any) -> None:
    notes = MemoryNotes()
    made = desk.create(notes)
    outcome(notes)
    desk.sandbox.set_status(made.deploy_id, "Stopped")

    with pytest.raises(DeploymentEndedError, match=f"{made.deploy_id}.*Stopped.*on_clear"):
        desk.create(notes)

    assert list(desk.asked()) == [made.deploy_id]


def test_clearing_can_deploy_again(desk: Desk) -> None:
    notes = MemoryNotes()
    made = desk.create(notes)
    mark_finished(notes)
    desk.sandbox.set_status(made.deploy_id, "Stopped")

    again = desk.create(notes, on_clear="deploy")

    assert (again.how, desk.running()) == ("created", [again.deploy_id])


def test_a_deployment_that_died_before_the_task_was_done_fails_it_with_its_log(desk: Desk) -> None:
    notes = MemoryNotes()
    made = desk.create(notes)
    desk.sandbox.fail(made.deploy_id, message="Runtime Error: no cash", logs=["line before the end"])

    with pytest.raises(DeploymentFailedError, match="RuntimeError") as failed:
        desk.create(notes, on_clear="deploy")

    assert "no cash" in str(failed.value)
    assert "line before the end" in str(failed.value)
    assert not failed.value.retryable


def test_a_runtime_error_that_may_be_restarted_is_not_the_end(desk: Desk) -> None:
    notes = MemoryNotes()
    spec = desk.spec(automatic_redeploy=True)
    made = desk.create(notes, spec=spec)
    desk.sandbox.set_status(made.deploy_id, "RuntimeError")

    assert desk.create(notes, spec=spec).how == "resumed"


def test_other_options_do_not_make_a_second_deployment_and_are_named(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    notes = MemoryNotes()
    made = desk.create(notes)

    again = desk.create(notes, spec=desk.spec(parameters={"fast": "10"}))

    assert (again.deploy_id, again.how) == (made.deploy_id, "resumed")
    assert f"{made.deploy_id} was made with other options" in caplog.text


def test_a_deployment_that_is_not_listed_for_now_is_not_made_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    notes = MemoryNotes()
    made = desk.create(notes)
    desk.sandbox.set_api(
        overlays=[
            {"endpoint": "live/list", "fields": {"live": []}},
            {"endpoint": "live/read", "fields": {"deployId": "L-other"}},
        ]
    )

    again = desk.create(notes)

    assert (again.deploy_id, again.how) == (made.deploy_id, "resumed")
    assert f"{made.deploy_id} is not listed" in caplog.text


@pytest.mark.parametrize("mark", [mark_finished, lambda notes: mark_failed(notes, "RuntimeError")])
def test_an_end_without_a_deployment_is_not_noted(desk: Desk, mark: Any) -> None:
    notes = MemoryNotes()
    mark(notes)

    assert notes.get(KEY) is None


def test_a_task_does_not_change_its_project(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.create(notes)

    with pytest.raises(InvalidSettingError, match="Trigger a new run"):
        desk.create(notes, spec=desk.spec(project_id=PROJECT + 1))


# --- nodes and refusals -----------------------------------------------------------------------------


def test_no_free_node_names_who_has_them_and_sends_nothing(desk: Desk) -> None:
    desk.sandbox.set_node_busy("LN-1", used_by="ann")

    with pytest.raises(NoFreeNodeError, match="Bystander") as error:
        desk.create(MemoryNotes())

    assert error.value.retryable
    assert desk.sends("live/create") == 0


def test_a_node_taken_between_poll_and_create_is_named_and_retried(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.sandbox.add_fault(
        "live/create", control=[{"verb": "set_node_busy", "node_id": "LN-1", "used_by": "ann"}]
    )

    with pytest.raises(NoFreeNodeError, match="ann") as error:
        desk.create(notes)
    desk.sandbox.set_node_busy("LN-1", busy=False)

    assert error.value.retryable
    assert desk.create(notes).how == "created"
    assert len(desk.asked()) == 1


def test_a_refusal_has_the_api_s_words_and_a_later_attempt_may_create(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.sandbox.configure_project(PROJECT, deploy={"refuse": "Live trading is not in your plan."})
    with pytest.raises(RefusedError, match="not in your plan"):
        desk.create(notes)
    desk.sandbox.configure_project(PROJECT, deploy={"refuse": None})

    assert desk.create(notes).how == "created"


def test_a_node_that_does_not_exist_is_refused_before_anything_is_sent(desk: Desk) -> None:
    with pytest.raises(NoFreeNodeError, match="no live node 'LN-99'") as error:
        desk.create(MemoryNotes(), spec=desk.spec(node_id="LN-99"))

    assert not error.value.retryable
    assert desk.sends("live/create") == 0


def test_a_refusal_that_cannot_be_verified_is_the_error_all_the_same(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.sandbox.configure_project(PROJECT, deploy={"refuse": "Live trading is not in your plan."})
    desk.sandbox.add_fault("projects/nodes/read", status=500, nth=2)

    with pytest.raises(RefusedError, match="not in your plan"):
        desk.create(MemoryNotes())

    assert "could not be verified" in caplog.text


def test_a_refusal_with_a_deployment_all_the_same_is_uncertain(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.sandbox.add_fault("live/create", errors=["Something went wrong"], when="after")

    with pytest.raises(DeploymentUncertainError, match="and yet L-"):
        desk.create(notes)
    with pytest.raises(AlreadyRunningError):
        desk.create(notes)

    assert desk.sends("live/create") == 1


# --- secrets and options ----------------------------------------------------------------------------


def test_the_notes_hold_no_secret(desk: Desk) -> None:
    notes = MemoryNotes()
    brokerage = {"id": "TradierBrokerage", "tradier-access-token": "canary-token"}

    desk.create(notes, spec=desk.spec(brokerage=brokerage, notification={"targets": ["canary-target"]}))

    assert "canary" not in json.dumps(notes.get(KEY))


def test_a_refusal_that_repeats_a_secret_does_not_show_it(desk: Desk) -> None:
    desk.sandbox.configure_project(PROJECT, deploy={"refuse": "Token canary-token is not valid."})
    brokerage = {"id": "TradierBrokerage", "tradier-access-token": "canary-token"}

    with pytest.raises(RefusedError, match="is not valid") as error:
        desk.create(MemoryNotes(), spec=desk.spec(brokerage=brokerage))

    assert "canary" not in str(error.value) + repr(error.value) + repr(error.value.api_errors)


@pytest.mark.parametrize("option", ["if_running", "on_clear"])
def test_a_choice_that_does_not_exist_is_refused_before_anything_is_sent(desk: Desk, option: str) -> None:
    desk.compiled()
    desk.sandbox.clear_requests()

    with pytest.raises(InvalidSettingError, match=option):
        desk.create(MemoryNotes(), **{option: "sometimes"})

    assert desk.sandbox.counters()["requests"] == 0
