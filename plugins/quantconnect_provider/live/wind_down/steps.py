"""Stopping or liquidating one deployment, in steps, until the API shows that it is over.

live/update/stop and live/update/liquidate take a project id and act on its current deployment. So the
deployment that is meant is noted before anything is sent, and verified to be the current one right before
each send. A request is sent again only after an unclear answer, for the same deployment: both requests are
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
from quantconnect_provider.live.observation import Observation, ProjectObservation, observe_deployment
from quantconnect_provider.live.polling import Polling
from quantconnect_provider.live.waiting import OVER, Wait, WaitResult, WaitState, poll_until
from quantconnect_provider.live.wind_down.observe import observe_to_wind_down

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_SENDS_AT_MOST = 5
_POLLING = Polling()


class Action(str, Enum):
    """How a deployment is wound down."""

    STOP = "stop"  # holdings are kept
    LIQUIDATE = "liquidate"  # holdings are sold, then it stops


ACTIONS = tuple(action.value for action in Action)


@dataclass
class _Progress:
    """What is noted before anything is sent; the names are those in the stored JSON.

    :param sends: how many requests were sent for the deployment.
    :param last_sent_at: unix seconds.
    :param unclear: whether the last request got no clear answer, or its attempt died before it was noted.
    :param finished: whether a task ended well with it.
    """

    deploy_id: str
    sends: int = 0
    last_sent_at: float = 0.0
    unclear: bool = False
    finished: bool = False


@dataclass(frozen=True)
class Step:
    """Where a wind-down stands after one step.

    :param already_over: the deployment is over, and this task never sent anything for it.
    :param again_at: unix seconds when the next step is due if it is not over by then; None if only the
        deadline of the wait ends it.
    """

    project_id: int
    deploy_id: str
    status: str
    over: bool
    already_over: bool = False
    again_at: float | None = None

    def wait_until(self, deadline: float) -> float:
        """Return until when to poll before the next step or the end, in unix seconds."""
        return deadline if self.again_at is None else min(deadline, self.again_at)


class WindDown:
    """The wind-down of one project, in steps that any attempt of the task can go on with.

    A worker that waits calls :meth:`run`. One that defers calls :meth:`step`, defers to a trigger that
    waits for ``OVER`` until ``step.wait_until(deadline)``, and steps again when the task resumes.

    :param deploy_id: the only deployment to act on; None means the project's current one.
    :param key: under which the progress is noted.
    :param resend_seconds: how long after an unclear answer the request is sent again if the deployment
        still runs.
    :param before_send: is called with the deployment's id right before each request.
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
        before_send: Callable[[str], None] | None = None,
    ) -> None:
        self.client = client
        self.project_id = project_id
        self.action = Action(action)
        self._notes = notes
        self._deploy_id = deploy_id
        self._key = key or f"quantconnect_{self.action.value}_{project_id}"
        self._resend_seconds = resend_seconds
        self._polling = polling
        self._clock = polling.clock
        self._before_send = before_send

    def step(self) -> Step:
        """Read live/list and live/read, and send if something must be sent (again); never waits.

        :raises NeverDeployedError: if the project never was live.
        :raises NotCurrentError: if the deployment runs but another one is the project's current.
        :raises QuantConnectError: if the API does not answer or refuses; nothing then is in doubt.
        """
        before = self._load()
        seen = observe_to_wind_down(
            self.client,
            self.project_id,
            known_id=before.deploy_id if before and before.sends else None,
            clock=self._clock,
        )
        progress = self._progress(before, seen)
        target = self._target(seen, progress)
        if (not target.phase.over or self._may_restart(seen, target)) and self._due(progress):
            self._check_current(seen, target)
            target = self._send(progress, target)
        over = target.phase.over
        again_at = progress.last_sent_at + self._resend_seconds if progress.unclear and not over else None
        already_over = over and progress.sends == 0
        return Step(self.project_id, target.deploy_id, target.status, over, already_over, again_at)

    def run(self, deadline: float) -> Step:
        """Step and poll until the deployment is over.

        :param deadline: unix seconds.
        :raises WaitTimeoutError: if it is not over by then.
        :raises QuantConnectError: as :meth:`step` does, or if too many polls fail.
        """
        while True:
            step = self.step()
            if step.over:
                return step
            wait_result = self._poll(step.deploy_id, step.wait_until(deadline))
            if wait_result.verdict is WaitState.DONE:
                return self.ended(wait_result)
            if wait_result.verdict is not WaitState.TIMEOUT or self._clock() >= deadline:
                wait_result.raise_unless_done()

    def ended(self, wait_result: WaitResult) -> Step:
        """Return the last step of a wait that ended with the deployment over."""
        return Step(self.project_id, wait_result.deploy_id, wait_result.status, over=True)

    def mark_finished(self) -> None:
        """Note that the task is done: clearing it later acts on the deployment that is current then."""
        progress = self._load()
        if progress is not None:
            progress.finished = True
            self._save(progress)

    def _poll(self, deploy_id: str, until: float) -> WaitResult:
        return poll_until(
            lambda: observe_deployment(self.client, self.project_id, deploy_id),
            Wait(OVER, until),
            self._polling,
        )

    def _progress(self, noted: _Progress | None, seen: ProjectObservation) -> _Progress:
        if noted and self._deploy_id in (None, noted.deploy_id) and self._still_applies(noted, seen):
            return noted
        target = self._deploy_id or seen.current_id
        if target is None:
            raise NeverDeployedError(
                f"Project {self.project_id} never had a live deployment: nothing to {self.action.value}.",
                endpoint="live/read",
            )
        progress = _Progress(deploy_id=target)
        self._save(progress)
        return progress

    def _still_applies(self, noted: _Progress, seen: ProjectObservation) -> bool:
        """Whether this attempt goes on with what was noted.

        A finished note applies only while nothing runs since: the executor may retry a task that has
        finished, and the result then still belongs to this task. Anything that runs was started later.
        """
        if not noted.finished:
            return True
        target = seen.seen.get(noted.deploy_id)
        return (
            target is not None
            and seen.current_id == noted.deploy_id
            and not seen.active
            and not self._may_restart(seen, target)
        )

    def _target(self, seen: ProjectObservation, progress: _Progress) -> Observation:
        target = seen.seen.get(progress.deploy_id)
        if target is None:
            raise NotFoundError(
                f"Project {self.project_id} has no deployment {progress.deploy_id}.", endpoint="live/list"
            )
        others = [entry.deploy_id for entry in seen.active if entry.deploy_id != target.deploy_id]
        if target.phase.over and others and progress.sends == 0 and self._deploy_id is None:
            raise NotCurrentError(
                f"The newest deployment of project {self.project_id}, {target.deploy_id}, is over "
                f"({target.status}), but {', '.join(others)} still runs."
            )
        for row in seen.unreadable if target.phase.over else ():
            log.warning("A row of live/list that could not be read may be another deployment: %s", row)
        if target.phase.over and others:
            log.warning("%s is over. %s runs too, and was not touched.", target.deploy_id, ", ".join(others))
        return target

    def _due(self, progress: _Progress) -> bool:
        if progress.sends == 0:
            return True
        waited = self._clock() - progress.last_sent_at
        return progress.unclear and waited >= self._resend_seconds and progress.sends < _SENDS_AT_MOST

    def _may_restart(self, seen: ProjectObservation, target: Observation) -> bool:
        """Whether an automatic restart may follow: then the request is sent although it is over."""
        if target.status != RESTARTABLE or seen.current_id != target.deploy_id:
            return False
        if target.stopped_at is None:
            return True
        return self._clock() - target.stopped_at.timestamp() < RESTART_GRACE_SECONDS

    def _check_current(self, seen: ProjectObservation, target: Observation) -> None:
        if seen.current_id != target.deploy_id:
            raise NotCurrentError(
                f"{target.deploy_id} is {target.status}, but the current deployment of project "
                f"{self.project_id} is {seen.current_id}: {self.action.value} would act on that one."
            )

    def _send(self, progress: _Progress, target: Observation) -> Observation:
        if self._before_send is not None:
            self._before_send(target.deploy_id)
        before = (progress.sends, progress.last_sent_at, progress.unclear)
        progress.sends, progress.last_sent_at, progress.unclear = progress.sends + 1, self._clock(), True
        self._save(
            progress
        )  # before the request: if this attempt dies here, the next one waits, then resends
        log.info("Sending %s for %s of project %s.", self.action.value, target.deploy_id, self.project_id)
        try:
            if self.action is Action.STOP:
                self.client.stop_live(self.project_id)
            else:
                self.client.liquidate_live(self.project_id)
        except OutcomeUnknownError as error:
            log.warning("%s Polling whether %s ends.", error.args[0], target.deploy_id)
            progress.last_sent_at = self._clock()
            self._save(progress)
            return target
        except QuantConnectError as error:
            progress.sends, progress.last_sent_at, progress.unclear = before
            self._save(progress)
            return self._refused(target, error)
        progress.unclear = False
        self._save(progress)
        return target

    def _refused(self, target: Observation, error: QuantConnectError) -> Observation:
        """Raise *error*, unless the deployment has ended meanwhile: then there was nothing left to do."""
        if isinstance(error, (RefusedError, NotFoundError)):
            now = observe_deployment(self.client, self.project_id, target.deploy_id)
            if now is not None and now.phase.over:
                return now
        raise error

    def _load(self) -> _Progress | None:
        noted: dict[str, Any] | None = self._notes.get(self._key)
        return _Progress(**noted) if noted else None

    def _save(self, progress: _Progress) -> None:
        self._notes.set(self._key, asdict(progress))
