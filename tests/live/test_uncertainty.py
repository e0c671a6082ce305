"""What a deploying task does when it cannot know at once whether its request took effect."""

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
    NeverDeployedError,
    OutcomeUnknownError,
)
from quantconnect_provider.client.live_list import LiveListing
from quantconnect_provider.live.deploy.create import create_once
from quantconnect_provider.live.deploy.journal import KEY, attempt_after
from quantconnect_provider.live.deployment_errors import (
    DeploymentUncertainError,
    NotDeployedError,
)
from quantconnect_provider.live.notes import MemoryNotes
from quantconnect_provider.live.observation import Observation, ProjectObservation
from tests.live.task import PROJECT, Desk, Kill, KillPoint, wait_for


def test_nothing_is_sent_while_the_api_does_not_answer_the_polls(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.sandbox.add_fault("live/create", drop=True, when="after")
    outage = [
        desk.sandbox.add_fault(path, status=500, nth=2, times=None) for path in ("live/list", "live/read")
    ]

    for _ in range(2):
        with pytest.raises(DeploymentUncertainError) as error:
            desk.create(notes)
    for fault in outage:
        desk.sandbox.clear_faults(fault)
    found = desk.create(notes)

    assert not error.value.retryable
    assert (found.how, desk.sends("live/create")) == ("found", 1)


def test_credentials_that_fail_while_uncertain_end_the_polling_at_once(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.sandbox.add_fault("live/create", drop=True, when="after")
    desk.sandbox.add_fault("live/list", errors=["Hash doesn't match."], nth=2, times=1)

    with pytest.raises(DeploymentUncertainError, match="does not answer"):
        desk.create(notes, certainty_seconds=60.0)


def test_several_new_deployments_are_for_a_person_to_sort_out(desk: Desk) -> None:
    notes = MemoryNotes()
    another = {"verb": "deploy", "project_id": PROJECT, "node_id": "LN-9"}
    desk.sandbox.add_fault("live/create", drop=True, when="after", control=[another])

    with pytest.raises(DeploymentUncertainError, match="several deployments appeared"):
        desk.create(notes)
    with pytest.raises(DeploymentUncertainError, match="several deployments appeared"):
        desk.create(notes, if_running="redeploy")

    assert desk.sends("live/create") == 1
    assert [target for target in desk.asked().values() if target] == []


def test_only_a_new_attempt_sends_again_after_certainty(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.sandbox.add_fault("live/create", drop=True, when="before")

    with pytest.raises(NotDeployedError) as error:
        desk.create(notes, certainty_seconds=1.0)  # time enough for two looks on a slow machine, too

    assert error.value.retryable
    assert isinstance(error.value.__cause__, OutcomeUnknownError)
    assert desk.sends("live/create") == 1


def test_a_deployment_that_lands_after_the_limit_is_adopted_not_doubled(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.compiled()
    desk.timeout_seconds = 0.05
    desk.sandbox.add_fault("live/create", delay_seconds=0.6)
    with pytest.raises(NotDeployedError):
        desk.create(notes)
    wait_for(desk.running)

    late = desk.create(notes)

    assert (late.how, late.deploy_id) == ("found", desk.running()[0])
    assert desk.sends("live/create") == 1


def test_several_deployments_after_the_limit_are_for_a_person_to_sort_out(desk: Desk) -> None:
    notes = MemoryNotes()
    desk.sandbox.add_fault("live/create", drop=True, when="before")
    with pytest.raises(NotDeployedError):
        desk.create(notes)
    desk.sandbox.deploy(PROJECT)
    desk.sandbox.deploy(PROJECT, node_id="LN-9")

    with pytest.raises(DeploymentUncertainError, match="several deployments run since"):
        desk.create(notes)

    assert desk.sends("live/create") == 1


def test_a_send_attempt_from_another_host_is_given_the_whole_time_from_now(desk: Desk) -> None:
    notes = MemoryNotes()
    with pytest.raises(Kill):
        desk.create(notes, KillPoint("create_live", "before"))
    note = notes.get(KEY)
    note["intents"][0].update(host=f"not-{socket.gethostname()}", sent_at=note["intents"][0]["sent_at"] - 900)
    notes.set(KEY, note)
    lands = threading.Timer(0.1, lambda: desk.sandbox.deploy(PROJECT))
    lands.start()

    found = desk.create(notes, certainty_seconds=5.0)

    assert (found.how, desk.sends("live/create")) == ("found", 0)


def test_an_empty_list_proves_nothing_where_there_was_something_before(desk: Desk) -> None:
    first = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_status(first, "Stopped")
    notes = MemoryNotes()
    with pytest.raises(Kill):
        desk.create(notes, KillPoint("create_live", "after"))
    client = Forgetful()

    with pytest.raises(DeploymentUncertainError, match="what it showed before"):
        create_once(client, desk.spec(), notes, certainty_seconds=0.05, look_seconds=0.01)


class Forgetful:
    """A client whose API shows no deployment at all."""

    def list_live(self, project_id: int) -> LiveListing:
        return LiveListing()

    def read_live(self, project_id: int) -> Any:
        raise NeverDeployedError("never")


def test_one_poll_without_it_is_not_enough(desk: Desk) -> None:
    notes = MemoryNotes()
    with pytest.raises(Kill):
        desk.create(notes, KillPoint("create_live", "after"))
    client = FirstBlind(desk.setup)

    found = create_once(client, desk.spec(), notes, certainty_seconds=0.0, look_seconds=0.01)

    assert (found.how, found.deploy_id) == ("found", desk.running()[0])


class FirstBlind(Forgetful):
    """A client whose first poll shows nothing, and whose others show what there is."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.polls = 0

    def list_live(self, project_id: int) -> LiveListing:
        self.polls += 1
        return LiveListing() if self.polls == 1 else self.client.list_live(project_id)


def test_an_accepted_request_without_an_id_is_resolved_by_polling(desk: Desk) -> None:
    found = create_once(
        Nameless(desk.setup), desk.spec(), MemoryNotes(), certainty_seconds=1.0, look_seconds=0.01
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
    attempt = attempt_after(ProjectObservation(PROJECT, history, "L-1999", 0.0), spec, 0.0)
    new = Observation("L-new", "InQueue", launched_at=start + timedelta(days=1999, hours=1))
    later = ProjectObservation(PROJECT, {**history, "L-new": new}, "L-new", 0.0)

    assert attempt.deployments_since(later) == [new]
    assert len(json.dumps(asdict(attempt))) < 30_000


def test_a_process_held_up_between_note_and_request_does_not_send_late(desk: Desk) -> None:
    notes = HookedNotes(set_hook=lambda: times.append(1000.0))
    times = [0.0]

    with pytest.raises(NotDeployedError, match="held up"):
        desk.create(notes, clock=lambda: times[-1])

    assert desk.sends("live/create") == 0


def test_of_two_attempts_at_once_the_second_to_note_sends_nothing(desk: Desk) -> None:
    notes = HookedNotes(get_hook=lambda: desk.create(notes.twin()), hooked_get=2)

    with pytest.raises(NotDeployedError, match="another attempt"):
        desk.create(notes)

    assert desk.sends("live/create") == 1


def test_an_attempt_that_another_one_gave_up_meanwhile_sends_nothing(desk: Desk) -> None:
    def another() -> None:
        with pytest.raises(NotDeployedError):
            desk.create(notes.twin())  # it polls, sees nothing, and says that nothing was deployed

    notes = HookedNotes(get_hook=another, hooked_get=3)

    with pytest.raises(NotDeployedError, match="another attempt"):
        desk.create(notes)

    assert desk.sends("live/create") == 0


class HookedNotes(MemoryNotes):
    """Notes to which something happens right after a note, or right before they are read again."""

    def __init__(
        self,
        set_hook: Callable[[], Any] = lambda: None,
        get_hook: Callable[[], Any] = lambda: None,
        hooked_get: int = 0,
    ) -> None:
        super().__init__()
        self.set_hook, self.get_hook, self.gets_left = set_hook, get_hook, hooked_get

    def twin(self) -> MemoryNotes:
        """The same notes, without hooks: what another process sees."""
        twin = MemoryNotes()
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
