"""Stopping or liquidating one deployment, believed only when it is seen to be over.

live/update/stop and liquidate take a project id and act on whatever is current. So the deployment that is
meant is noted before anything is sent, and it is verified to be the current one right before each send.
Sending again, which happens only after an unclear answer, is safe for the same deployment: both are
idempotent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import (
    NeverDeployedError,
    NotFoundError,
    OutcomeUnknownError,
    QuantConnectError,
    RefusedError,
)
from quantconnect_provider.client.status import RESTART_GRACE_SECONDS, RESTARTABLE
from quantconnect_provider.live.deployment_errors import NotCurrentError
from quantconnect_provider.live.notes import TaskNotes
from quantconnect_provider.live.observation import (
    Observation,
    ProjectObservation,
    observe_deployment,
    observe_project,
)
from quantconnect_provider.live.polling import Polling
from quantconnect_provider.live.waiting import OVER, Wait, WaitResult, WaitState, poll_until

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_SENDS_AT_MOST = 5
_POLLING = Polling()


class Action(str, Enum):
    """How a deployment is wound down."""

    STOP = "stop"  # holdings are kept
    LIQUIDATE = "liquidate"  # holdings are sold, then it stops


@dataclass
class _Note:
    """What is noted before anything is sent.

    :param unclear: whether the last send got no clear answer (or its attempt died before noting one).
    :param finished: whether a task ended well with it: after that, a new attempt is a person's clear.
    """

    deploy_id: str
    sends: int = 0
    last_sent_at: float = 0.0
    unclear: bool = False
    finished: bool = False


@dataclass(frozen=True)
class Step:
    """Where a wind-down stands after one step.

    :param already_over: it is over, and not because this task sent anything.
    :param again_at: unix seconds when the next step is due if it is not over by then; None if only the
        wait's deadline ends it.
    """

    project_id: int
    deploy_id: str
    status: str
    over: bool
    already_over: bool = False
    again_at: float | None = None

    def wait_until(self, deadline: float) -> float:
        """Return until when to watch before the next step or the end."""
        return deadline if self.again_at is None else min(deadline, self.again_at)


class WindDown:
    """The wind-down of one project, in steps that any attempt of the task can go on with.

    A worker that waits calls :meth:`run`. One that defers calls :meth:`step`, defers to a trigger that
    watches for ``OVER`` until ``step.wait_until(deadline)``, and steps again when it comes back.

    :param deploy_id: the only deployment to act on; None means the project's current one.
    :param key: where the note lies in the ledger.
    :param resend_seconds: how long after an unclear answer a deployment that still runs is told again.
    """

    def __init__(
        self,
        client: QuantConnectClient,
        project_id: int,
        action: Action | str,
        notes: TaskNotes,
        *,
        deploy_id: str | None = None,
        key: str | None = None,
        resend_seconds: float = 90.0,
        polling: Polling = _POLLING,
    ) -> None:
        self.client = client
        self.project_id = project_id
        self.action = Action(action)
        self._notes = notes
        self._asked = deploy_id
        self._key = key or f"quantconnect_{self.action.value}_{project_id}"
        self._resend_seconds = resend_seconds
        self._polling = polling
        self._clock = polling.clock

    def step(self) -> Step:
        """Look, and send if something must be sent (again); never waits.

        :raises NeverDeployedError: if the project never was live.
        :raises NotCurrentError: if the deployment runs but another one is the project's current.
        :raises QuantConnectError: if the API does not answer or says no; nothing then is in doubt.
        """
        look = observe_project(self.client, self.project_id, self._clock)
        note = self._note_for(look)
        target = self._target(look, note)
        if (not target.phase.over or self._may_restart(look, target)) and self._due(note):
            self._check_current(look, target)
            target = self._send(note, target)
        over = target.phase.over
        again_at = note.last_sent_at + self._resend_seconds if note.unclear and not over else None
        return Step(
            self.project_id, target.deploy_id, target.status, over, over and note.sends == 0, again_at
        )

    def run(self, deadline: float) -> Step:
        """Step and watch until the deployment is over.

        :param deadline: unix seconds.
        :raises WaitTimeoutError: if it is not over by then.
        :raises QuantConnectError: as :meth:`step` does, or if the looks keep failing.
        """
        while True:
            step = self.step()
            if step.over:
                return step
            wait_result = poll_until(
                self.looker(step.deploy_id),
                Wait(OVER, step.wait_until(deadline)),
                self._polling,
            )
            if wait_result.verdict is WaitState.DONE:
                return self.ended(wait_result)
            if wait_result.verdict is not WaitState.TIMEOUT or self._clock() >= deadline:
                wait_result.raise_unless_done()

    def looker(self, deploy_id: str) -> Callable[[], Observation | None]:
        """Return what one look of the watching is."""
        return lambda: observe_deployment(self.client, self.project_id, deploy_id)

    def ended(self, wait_result: WaitResult) -> Step:
        """Return the last step of a watch that saw the deployment over."""
        return Step(self.project_id, wait_result.deploy_id, wait_result.status, over=True)

    def mark_finished(self) -> None:
        """Note that the task is done: clearing it later acts on what is current then."""
        note = self._load()
        if note is not None:
            note.finished = True
            self._save(note)

    def _note_for(self, look: ProjectObservation) -> _Note:
        note = self._load()
        if note and not note.finished and self._asked in (None, note.deploy_id):
            return note
        target = self._asked or look.current_id
        if target is None:
            raise NeverDeployedError(
                f"Project {self.project_id} never had a live deployment: nothing to {self.action.value}.",
                endpoint="live/read",
            )
        note = _Note(deploy_id=target)
        self._save(note)
        return note

    def _target(self, look: ProjectObservation, note: _Note) -> Observation:
        target = look.seen.get(note.deploy_id)
        if target is None:
            raise NotFoundError(
                f"Project {self.project_id} has no deployment {note.deploy_id}.", endpoint="live/list"
            )
        others = [entry.deploy_id for entry in look.active if entry.deploy_id != target.deploy_id]
        if target.phase.over and others and note.sends == 0 and self._asked is None:
            raise NotCurrentError(
                f"The newest deployment of project {self.project_id}, {target.deploy_id}, is over "
                f"({target.status}), but {', '.join(others)} runs."
            )
        if target.phase.over and others:
            log.warning("%s is over; %s runs, and is left alone.", target.deploy_id, ", ".join(others))
        return target

    def _due(self, note: _Note) -> bool:
        if note.sends == 0:
            return True
        waited = self._clock() - note.last_sent_at
        return note.unclear and waited >= self._resend_seconds and note.sends < _SENDS_AT_MOST

    def _may_restart(self, look: ProjectObservation, target: Observation) -> bool:
        """Whether an automatic restart may follow: then it is told to end although it is over."""
        if target.status != RESTARTABLE or look.current_id != target.deploy_id:
            return False
        if target.stopped_at is None:
            return True
        return self._clock() - target.stopped_at.timestamp() < RESTART_GRACE_SECONDS

    def _check_current(self, look: ProjectObservation, target: Observation) -> None:
        if look.current_id != target.deploy_id:
            raise NotCurrentError(
                f"{target.deploy_id} is {target.status}, but the current deployment of project "
                f"{self.project_id} is {look.current_id}: {self.action.value} would act on that one."
            )

    def _send(self, note: _Note, target: Observation) -> Observation:
        before = (note.sends, note.last_sent_at, note.unclear)
        note.sends, note.last_sent_at, note.unclear = note.sends + 1, self._clock(), True
        self._save(note)  # before the request: an attempt killed here looks first, and sends again late
        log.info("Sending %s for %s of project %s.", self.action.value, target.deploy_id, self.project_id)
        try:
            if self.action is Action.STOP:
                self.client.stop_live(self.project_id)
            else:
                self.client.liquidate_live(self.project_id)
        except OutcomeUnknownError as error:
            log.warning("%s Watching whether %s ends.", error.args[0], target.deploy_id)
            note.last_sent_at = self._clock()
            self._save(note)
            return target
        except QuantConnectError as error:
            note.sends, note.last_sent_at, note.unclear = before
            self._save(note)
            return self._refused(target, error)
        note.unclear = False
        self._save(note)
        return target

    def _refused(self, target: Observation, error: QuantConnectError) -> Observation:
        """Believe a refusal, unless the deployment ended meanwhile: then there was nothing left to do."""
        if isinstance(error, (RefusedError, NotFoundError)):
            now = observe_deployment(self.client, self.project_id, target.deploy_id)
            if now is not None and now.phase.over:
                return now
        raise error

    def _load(self) -> _Note | None:
        note: dict[str, Any] | None = self._notes.get(self._key)
        return _Note(**note) if note else None

    def _save(self, note: _Note) -> None:
        self._notes.set(self._key, asdict(note))
