"""What a deploying task does when nothing is wrong with the network, but the world is not as expected."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from quantconnect_provider.client import CreatedLive, LiveSpec
from quantconnect_provider.client.errors import (
    InvalidSettingError,
    NeverDeployedError,
    OutcomeUnknownError,
    RefusedError,
)
from quantconnect_provider.live.create import create_once
from quantconnect_provider.live.errors import (
    AlreadyRunningError,
    DeploymentEndedError,
    DeploymentFailedError,
    DeploymentUncertainError,
    NoFreeNodeError,
    NotDeployedError,
)
from quantconnect_provider.live.ledger import MemoryLedger
from quantconnect_provider.live.looks import Observation, ProjectLook
from quantconnect_provider.live.record import KEY, intent_after, mark_failed, mark_finished
from tests.live.task import PROJECT, Desk, Kill, KillPoint, wait_for


def test_a_first_attempt_creates_on_the_first_free_node(desk: Desk) -> None:
    made = desk.create(MemoryLedger())

    assert (made.how, made.project_id) == ("created", PROJECT)
    assert desk.sandbox.deployments(PROJECT)[0]["node_id"] == "LN-1"


def test_a_retry_resumes_the_deployment_of_the_attempt_before(desk: Desk) -> None:
    ledger = MemoryLedger()
    made = desk.create(ledger)

    again = desk.create(ledger)

    assert (again.deploy_id, again.how) == (made.deploy_id, "resumed")


# --- a deployment that is not this task's runs ------------------------------------------------------


def test_fail_leaves_a_running_deployment_alone(desk: Desk) -> None:
    other = desk.sandbox.deploy(PROJECT)

    with pytest.raises(AlreadyRunningError, match=other):
        desk.create(MemoryLedger())

    assert desk.asked() == {other: []}


def test_adopt_takes_a_running_deployment(desk: Desk) -> None:
    other = desk.sandbox.deploy(PROJECT)

    made = desk.create(MemoryLedger(), if_running="adopt")

    assert (made.deploy_id, made.how) == (other, "adopted")


def test_adopt_creates_when_nothing_runs(desk: Desk) -> None:
    assert desk.create(MemoryLedger(), if_running="adopt").how == "created"


@pytest.mark.parametrize("if_running", ["adopt", "redeploy"])
def test_two_running_deployments_are_for_a_person_to_sort_out(desk: Desk, if_running: str) -> None:
    desk.sandbox.deploy(PROJECT)
    desk.sandbox.deploy(PROJECT, node_id="LN-9")

    with pytest.raises(AlreadyRunningError, match="Several"):
        desk.create(MemoryLedger(), if_running=if_running)

    assert [told for told in desk.asked().values() if told] == []


def test_a_status_that_nobody_knows_counts_as_running(desk: Desk) -> None:
    other = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_status(other, "Hibernating")

    with pytest.raises(AlreadyRunningError, match="Hibernating"):
        desk.create(MemoryLedger())


def test_redeploy_does_not_stop_what_someone_else_starts_meanwhile(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT)
    ledger = MemoryLedger()
    with pytest.raises(Kill):  # the old one is over, and the attempt dies
        desk.create(ledger, KillPoint("note", "after", 5), if_running="redeploy")
    foreign = desk.sandbox.deploy(PROJECT)

    with pytest.raises(AlreadyRunningError, match=foreign):
        desk.create(ledger, if_running="redeploy")

    assert desk.asked() == {old: ["stop"], foreign: []}


def test_clearing_after_that_redeploys_what_someone_else_started(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT)
    ledger = MemoryLedger()
    with pytest.raises(Kill):
        desk.create(ledger, KillPoint("note", "after", 5), if_running="redeploy")
    foreign = desk.sandbox.deploy(PROJECT)
    with pytest.raises(AlreadyRunningError):
        desk.create(ledger, if_running="redeploy")

    made = desk.create(ledger, if_running="redeploy")

    assert desk.asked()[foreign] == ["stop"]
    assert desk.running() == [made.deploy_id]


def test_a_redeploy_without_any_free_node_waits_for_the_one_that_it_frees(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT, node_id="LN-1")  # LN-2 is the bystander's

    made = desk.create(MemoryLedger(), if_running="redeploy")

    assert desk.running() == [made.deploy_id]
    assert made.deploy_id != old


def test_a_redeploy_waits_for_a_node_that_is_let_go_late(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT, node_id="LN-1")
    for nth, busy in ((1, True), (3, False)):
        order = {"verb": "set_node_busy", "node_id": "LN-1", "busy": busy}
        desk.sandbox.add_fault("projects/nodes/read", nth=nth, control=[order])

    assert desk.create(MemoryLedger(), if_running="redeploy").how == "created"


# --- cleared tasks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("on_clear", ["reuse", "deploy"])
def test_clearing_a_finished_task_keeps_the_deployment_while_it_runs(desk: Desk, on_clear: str) -> None:
    ledger = MemoryLedger()
    made = desk.create(ledger)
    mark_finished(ledger)

    assert desk.create(ledger, on_clear=on_clear, if_running="redeploy").deploy_id == made.deploy_id


@pytest.mark.parametrize("outcome", [mark_finished, lambda ledger: mark_failed(ledger, "RuntimeError")])
def test_clearing_a_task_whose_deployment_ended_says_so(desk: Desk, outcome: Any) -> None:
    ledger = MemoryLedger()
    made = desk.create(ledger)
    outcome(ledger)
    desk.sandbox.set_status(made.deploy_id, "Stopped")

    with pytest.raises(DeploymentEndedError, match=f"{made.deploy_id}.*Stopped.*on_clear"):
        desk.create(ledger)

    assert list(desk.asked()) == [made.deploy_id]


def test_clearing_can_deploy_again(desk: Desk) -> None:
    ledger = MemoryLedger()
    made = desk.create(ledger)
    mark_finished(ledger)
    desk.sandbox.set_status(made.deploy_id, "Stopped")

    again = desk.create(ledger, on_clear="deploy")

    assert (again.how, desk.running()) == ("created", [again.deploy_id])


def test_a_deployment_that_died_before_the_task_was_done_fails_it_with_its_log(desk: Desk) -> None:
    ledger = MemoryLedger()
    made = desk.create(ledger)
    desk.sandbox.fail(made.deploy_id, message="Runtime Error: no cash", logs=["line before the end"])

    with pytest.raises(DeploymentFailedError, match="RuntimeError") as failed:
        desk.create(ledger, on_clear="deploy")

    assert "no cash" in str(failed.value)
    assert "line before the end" in str(failed.value)
    assert not failed.value.retryable


def test_a_runtime_error_that_may_be_restarted_is_not_the_end(desk: Desk) -> None:
    ledger = MemoryLedger()
    spec = desk.spec(automatic_redeploy=True)
    made = desk.create(ledger, spec=spec)
    desk.sandbox.set_status(made.deploy_id, "RuntimeError")

    assert desk.create(ledger, spec=spec).how == "resumed"


def test_a_task_does_not_change_its_project(desk: Desk) -> None:
    ledger = MemoryLedger()
    desk.create(ledger)

    with pytest.raises(InvalidSettingError, match="Trigger a new run"):
        desk.create(ledger, spec=desk.spec(project_id=PROJECT + 1))


# --- nodes and refusals -----------------------------------------------------------------------------


def test_no_free_node_names_who_has_them_and_sends_nothing(desk: Desk) -> None:
    desk.sandbox.set_node_busy("LN-1", used_by="ann")

    with pytest.raises(NoFreeNodeError, match="Bystander") as error:
        desk.create(MemoryLedger())

    assert error.value.retryable
    assert desk.sends("live/create") == 0


def test_a_node_taken_between_look_and_create_is_named_and_retried(desk: Desk) -> None:
    ledger = MemoryLedger()
    desk.sandbox.add_fault(
        "live/create", control=[{"verb": "set_node_busy", "node_id": "LN-1", "used_by": "ann"}]
    )

    with pytest.raises(NoFreeNodeError, match="ann") as error:
        desk.create(ledger)
    desk.sandbox.set_node_busy("LN-1", busy=False)

    assert error.value.retryable
    assert desk.create(ledger).how == "created"
    assert len(desk.asked()) == 1


def test_a_refusal_is_told_in_the_api_s_words_and_a_later_attempt_may_create(desk: Desk) -> None:
    ledger = MemoryLedger()
    desk.sandbox.configure_project(PROJECT, deploy={"refuse": "Live trading is not in your plan."})
    with pytest.raises(RefusedError, match="not in your plan"):
        desk.create(ledger)
    desk.sandbox.configure_project(PROJECT, deploy={"refuse": None})

    assert desk.create(ledger).how == "created"


def test_a_refusal_with_a_deployment_all_the_same_is_uncertain(desk: Desk) -> None:
    ledger = MemoryLedger()
    desk.sandbox.add_fault("live/create", errors=["Something went wrong"], when="after")

    with pytest.raises(DeploymentUncertainError, match="and yet L-"):
        desk.create(ledger)
    with pytest.raises(AlreadyRunningError):
        desk.create(ledger)

    assert desk.sends("live/create") == 1


# --- uncertainty ------------------------------------------------------------------------------------


def test_nothing_is_sent_while_the_api_does_not_answer_the_looks(desk: Desk) -> None:
    ledger = MemoryLedger()
    desk.sandbox.add_fault("live/create", drop=True, when="after")
    outage = [
        desk.sandbox.add_fault(path, status=500, nth=2, times=None) for path in ("live/list", "live/read")
    ]

    for _ in range(2):
        with pytest.raises(DeploymentUncertainError) as error:
            desk.create(ledger)
    for fault in outage:
        desk.sandbox.clear_faults(fault)
    found = desk.create(ledger)

    assert not error.value.retryable
    assert (found.how, desk.sends("live/create")) == ("found", 1)


def test_credentials_that_fail_while_uncertain_end_the_looking_at_once(desk: Desk) -> None:
    ledger = MemoryLedger()
    desk.sandbox.add_fault("live/create", drop=True, when="after")
    desk.sandbox.add_fault("live/list", errors=["Hash doesn't match."], nth=2, times=1)

    with pytest.raises(DeploymentUncertainError, match="does not tell"):
        desk.create(ledger, certainty_seconds=60.0)


def test_several_new_deployments_are_for_a_person_to_sort_out(desk: Desk) -> None:
    ledger = MemoryLedger()
    another = {"verb": "deploy", "project_id": PROJECT, "node_id": "LN-9"}
    desk.sandbox.add_fault("live/create", drop=True, when="after", control=[another])

    with pytest.raises(DeploymentUncertainError, match="several deployments appeared"):
        desk.create(ledger)
    with pytest.raises(DeploymentUncertainError, match="several deployments appeared"):
        desk.create(ledger, if_running="redeploy")

    assert desk.sends("live/create") == 1
    assert [told for told in desk.asked().values() if told] == []


def test_only_a_new_attempt_sends_again_after_certainty(desk: Desk) -> None:
    ledger = MemoryLedger()
    desk.sandbox.add_fault("live/create", drop=True, when="before")

    with pytest.raises(NotDeployedError) as error:
        desk.create(ledger)

    assert error.value.retryable
    assert isinstance(error.value.__cause__, OutcomeUnknownError)
    assert desk.sends("live/create") == 1


def test_a_deployment_that_lands_after_the_limit_is_adopted_not_doubled(desk: Desk) -> None:
    ledger = MemoryLedger()
    desk.compiled()
    desk.timeout_seconds = 0.05
    desk.sandbox.add_fault("live/create", delay_seconds=0.6)
    with pytest.raises(NotDeployedError):
        desk.create(ledger)
    wait_for(desk.running)

    late = desk.create(ledger)

    assert (late.how, late.deploy_id) == ("found", desk.running()[0])
    assert desk.sends("live/create") == 1


def test_an_intent_from_another_host_is_given_the_whole_time_from_now(desk: Desk) -> None:
    ledger = MemoryLedger()
    with pytest.raises(Kill):
        desk.create(ledger, KillPoint("create_live", "before"))
    note = ledger.get(KEY)
    note["intents"][0].update(host=f"not-{socket.gethostname()}", sent_at=note["intents"][0]["sent_at"] - 900)
    ledger.set(KEY, note)
    lands = threading.Timer(0.1, lambda: desk.sandbox.deploy(PROJECT))
    lands.start()

    found = desk.create(ledger, certainty_seconds=5.0)

    assert (found.how, desk.sends("live/create")) == ("found", 0)


def test_an_empty_list_proves_nothing_where_there_was_something_before(desk: Desk) -> None:
    first = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_status(first, "Stopped")
    ledger = MemoryLedger()
    with pytest.raises(Kill):
        desk.create(ledger, KillPoint("create_live", "after"))
    client = Forgetful()

    with pytest.raises(DeploymentUncertainError, match="what it showed before"):
        create_once(client, desk.spec(), ledger, certainty_seconds=0.05, look_seconds=0.01)


class Forgetful:
    """A client whose API shows no deployment at all."""

    def list_live(self, project_id: int) -> list[Any]:
        return []

    def read_live(self, project_id: int) -> Any:
        raise NeverDeployedError("never")


def test_one_look_without_it_is_not_enough(desk: Desk) -> None:
    ledger = MemoryLedger()
    with pytest.raises(Kill):
        desk.create(ledger, KillPoint("create_live", "after"))
    client = FirstBlind(desk.setup)

    found = create_once(client, desk.spec(), ledger, certainty_seconds=0.0, look_seconds=0.01)

    assert (found.how, found.deploy_id) == ("found", desk.running()[0])


class FirstBlind(Forgetful):
    """A client whose first look shows nothing, and whose others show what there is."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.looks = 0

    def list_live(self, project_id: int) -> list[Any]:
        self.looks += 1
        return [] if self.looks == 1 else self.client.list_live(project_id)


def test_an_accepted_request_without_an_id_is_settled_by_looking(desk: Desk) -> None:
    found = create_once(
        Nameless(desk.setup), desk.spec(), MemoryLedger(), certainty_seconds=1.0, look_seconds=0.01
    )

    assert (found.how, found.deploy_id) == ("found", desk.running()[0])


class Nameless:
    """A client whose API accepts a deployment and does not say its id."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def create_live(self, spec: Any) -> CreatedLive:
        self.client.create_live(spec)
        return CreatedLive(deploy_id="")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


def test_of_very_many_deployments_the_newest_are_remembered() -> None:
    start = datetime(2020, 1, 1, tzinfo=timezone.utc)
    history = {
        f"L-{day}": Observation(f"L-{day}", "Stopped", launched_at=start + timedelta(days=day))
        for day in range(2000)
    }
    spec = LiveSpec(project_id=PROJECT, compile_id="c", node_id="", brokerage={"id": "x"})
    intent = intent_after(ProjectLook(PROJECT, history, "L-1999", 0.0), spec, 0.0)
    new = Observation("L-new", "InQueue", launched_at=start + timedelta(days=1999, hours=1))
    later = ProjectLook(PROJECT, {**history, "L-new": new}, "L-new", 0.0)

    assert intent.deployments_since(later) == [new]
    assert len(json.dumps(asdict(intent))) < 30_000


def test_a_process_held_up_between_note_and_request_does_not_send_late(desk: Desk) -> None:
    ledger = HookedLedger(set_hook=lambda: times.append(1000.0))
    times = [0.0]

    with pytest.raises(NotDeployedError, match="held up"):
        desk.create(ledger, clock=lambda: times[-1])

    assert desk.sends("live/create") == 0


def test_of_two_attempts_at_once_the_second_to_note_sends_nothing(desk: Desk) -> None:
    ledger = HookedLedger(get_hook=lambda: desk.create(ledger.twin()), hooked_get=2)

    with pytest.raises(NotDeployedError, match="another attempt"):
        desk.create(ledger)

    assert desk.sends("live/create") == 1


class HookedLedger(MemoryLedger):
    """A ledger to which something happens right after a note, or right before it is read again."""

    def __init__(
        self,
        set_hook: Callable[[], Any] = lambda: None,
        get_hook: Callable[[], Any] = lambda: None,
        hooked_get: int = 0,
    ) -> None:
        super().__init__()
        self.set_hook, self.get_hook, self.gets_left = set_hook, get_hook, hooked_get

    def twin(self) -> MemoryLedger:
        """The same notes, without hooks: what another process sees."""
        twin = MemoryLedger()
        twin._notes = self._notes
        return twin

    def get(self, key: str) -> Any:
        self.gets_left -= 1
        if self.gets_left == 0:
            self.get_hook()
        return super().get(key)

    def set(self, key: str, value: Any) -> None:
        super().set(key, value)
        self.set_hook()


# --- secrets and options ----------------------------------------------------------------------------


def test_the_ledger_holds_no_secret(desk: Desk) -> None:
    ledger = MemoryLedger()
    brokerage = {"id": "TradierBrokerage", "tradier-access-token": "canary-token"}

    desk.create(ledger, spec=desk.spec(brokerage=brokerage, notification={"targets": ["canary-target"]}))

    assert "canary" not in json.dumps(ledger.get(KEY))


def test_a_refusal_that_repeats_a_secret_does_not_show_it(desk: Desk) -> None:
    desk.sandbox.configure_project(PROJECT, deploy={"refuse": "Token canary-token is not valid."})
    brokerage = {"id": "TradierBrokerage", "tradier-access-token": "canary-token"}

    with pytest.raises(RefusedError, match="is not valid") as error:
        desk.create(MemoryLedger(), spec=desk.spec(brokerage=brokerage))

    assert "canary" not in str(error.value) + repr(error.value) + repr(error.value.api_errors)


@pytest.mark.parametrize("option", ["if_running", "on_clear"])
def test_a_choice_that_does_not_exist_is_refused_before_anything_is_sent(desk: Desk, option: str) -> None:
    desk.compiled()
    desk.sandbox.clear_requests()

    with pytest.raises(InvalidSettingError, match=option):
        desk.create(MemoryLedger(), **{option: "sometimes"})

    assert desk.sandbox.counters()["requests"] == 0
