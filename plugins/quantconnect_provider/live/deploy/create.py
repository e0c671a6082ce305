"""Makes a live deployment at most once, whatever happens to the request, the answer or the worker.

live/create has no idempotency key, so certainty comes from the order of steps: read what runs, note the send
attempt, send once, note the deployment. An attempt of the task that finds a send attempt without an outcome
resolves that outcome first, and sends nothing before.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import (
    InvalidSettingError,
    NotFoundError,
    QuantConnectError,
    RefusedError,
)
from quantconnect_provider.client.live_request import LiveSpec
from quantconnect_provider.client.status import RESTARTABLE
from quantconnect_provider.live.deploy.carry_over import check_portfolio, with_carried
from quantconnect_provider.live.deploy.journal import (
    OPEN,
    RECEIPT,
    REFUSED,
    VOID,
    DeployJournal,
    SendAttempt,
    attempt_after,
    digest_of,
    mark_failed,
)
from quantconnect_provider.live.deploy.nodes import await_node, choose_node
from quantconnect_provider.live.deploy.options import DeployOptions
from quantconnect_provider.live.deploy.outcome import OutcomeResolver, proves_nothing_started
from quantconnect_provider.live.deploy.redeploy import check_room, make_room
from quantconnect_provider.live.deployment_errors import (
    DeploymentEndedError,
    DeploymentUncertainError,
    NoFreeNodeError,
    NotDeployedError,
)
from quantconnect_provider.live.notes import TaskNotes
from quantconnect_provider.live.observation import Observation, ProjectObservation, named, observe_project
from quantconnect_provider.live.polling import Clock, Polling, Sleep
from quantconnect_provider.live.post_mortem import deployment_failed

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_SEND_WITHIN_SECONDS = 60.0  # a process that was frozen between noting and sending must not send late
_NODE_WAIT_SECONDS = 120.0  # a node becomes free a moment after its deployment has ended


@dataclass(frozen=True)
class Deployment:
    """The deployment of a task.

    :param how: ``created`` by this attempt, ``adopted`` (it ran before), ``found`` (made by a request
        without a clear answer), or ``resumed`` (made by an earlier attempt of this task).
    """

    deploy_id: str
    project_id: int
    how: str


def create_once(
    client: QuantConnectClient,
    spec: LiveSpec,
    notes: TaskNotes,
    *,
    if_running: str = "fail",
    on_clear: str = "reuse",
    certainty_seconds: float = 300.0,
    look_seconds: float = 5.0,
    stop_seconds: float = 900.0,
    resend_seconds: float = 90.0,
    clock: Clock = time.time,
    sleep: Sleep = time.sleep,
) -> Deployment:
    """Return this task's deployment of *spec*: made now, made before, or adopted.

    Call it again with the same notes after anything that went wrong, the death of the process included. Do
    not change the notes in between; call ``mark_finished`` when the task is done.

    :param spec: ``node_id`` empty means the first free node.
    :param if_running: and the parameters up to *resend_seconds*: see :class:`~.options.DeployOptions`.
    :param look_seconds: from one poll to the next.
    :raises InvalidSettingError: if ``if_running`` or ``on_clear`` does not exist.
    :raises DeploymentUncertainError: if it is not known whether a deployment was started. The next call polls
        again; nothing is sent until it is certain.
    :raises NotDeployedError: if the request had no clear answer and certainly deployed nothing. The next
        call may send a new one.
    :raises AlreadyRunningError: if a deployment runs that is not this task's and may not be touched.
    :raises NoFreeNodeError: if there is no node to deploy to.
    :raises DeploymentFailedError: if the deployment that this task made ended before the task was done.
    :raises DeploymentEndedError: if a person cleared the task after its deployment had ended.
    :raises RefusedError: if the API refused the request.
    :raises QuantConnectError: if the API does not answer before anything was sent.
    """
    options = DeployOptions(if_running, on_clear, certainty_seconds, stop_seconds, resend_seconds)
    return _Attempt(client, spec, notes, options, Polling(look_seconds, clock, sleep)).run()


class _Attempt:
    """One attempt of one task; everything that must outlive it is in the journal."""

    def __init__(
        self,
        client: QuantConnectClient,
        spec: LiveSpec,
        notes: TaskNotes,
        options: DeployOptions,
        polling: Polling,
    ) -> None:
        self.client = client
        self.spec = spec
        self.notes = notes
        self.options = options
        self.polling = polling
        self.clock = polling.clock
        self.journal = DeployJournal(notes)
        self.outcomes = OutcomeResolver(
            client, spec.project_id, self.journal, options.certainty_seconds, polling
        )

    def run(self) -> Deployment:
        last = self.journal.last
        if last is not None and last.project_id != self.spec.project_id:
            raise InvalidSettingError(
                f"This task has deployed project {last.project_id}, and is now asked to deploy project "
                f"{self.spec.project_id}.",
                advice="Trigger a new run for another project.",
            )
        if last is not None and last.state == RECEIPT:
            observed = self._observe()
            if self._goes_on(last, observed):
                return self._deployment(last, "resumed")
        elif last is not None and last.state == OPEN:
            log.warning(
                "An earlier attempt may have started a deployment; polling for it before anything is sent."
            )
            return self._deployment(self.outcomes.settle(last))
        else:
            observed = self._observe()
        late = self.outcomes.late_arrival(observed)
        if late is not None:
            return self._deployment(late)
        check_room(observed, self.options.if_running)
        running = observed.active
        if running and self.options.if_running == "adopt":
            return self._deployment(self._adopt(observed, running))
        if self._redeploys(running):
            observed = make_room(
                self.client,
                self.spec,
                self.notes,
                self.journal,
                observed,
                options=self.options,
                polling=self.polling,
            )
        return self._deployment(self._send(observed))

    def _goes_on(self, receipt: SendAttempt, observed: ProjectObservation) -> bool:
        """Whether the task goes on with the deployment that it has; False to make another.

        :raises DeploymentFailedError: if it ended before the task was done.
        :raises DeploymentEndedError: if it ended after that, and ``on_clear`` is not ``deploy``.
        """
        deploy_id = str(receipt.deploy_id)
        seen = observed.seen.get(deploy_id)
        if receipt.digest and receipt.digest != digest_of(self.spec):
            log.warning("%s was made with other options than those of this attempt.", deploy_id)
        if seen is None:
            log.warning("%s is not listed at the moment.", deploy_id)
            return True
        if seen.phase.may_trade or (
            seen.status == RESTARTABLE and self.spec.automatic_redeploy and not receipt.outcome
        ):
            return True
        if receipt.outcome is None:
            what = f"{deploy_id}, made by an earlier attempt of this task, ended as {seen.status}."
            mark_failed(self.notes, seen.status)
            raise deployment_failed(self.client, self.spec.project_id, deploy_id, what)
        if self.options.on_clear == "deploy":
            log.info("%s has ended (%s, task %s): deploying again.", deploy_id, seen.status, receipt.outcome)
            return False
        raise DeploymentEndedError(
            f"This task made {deploy_id}, which has ended ({seen.status}); the task had {receipt.outcome}."
        )

    def _redeploys(self, running: list[Observation]) -> bool:
        return self.options.if_running == "redeploy" and (bool(running) or self.journal.redeploy is not None)

    def _adopt(self, observed: ProjectObservation, running: list[Observation]) -> SendAttempt:
        now = self.clock()
        adopted = SendAttempt(
            project_id=self.spec.project_id,
            state=RECEIPT,
            looked_at=observed.looked_at,
            sent_at=now,
            digest=digest_of(self.spec),
            deploy_id=running[0].deploy_id,
            how="adopted",
        )
        self.journal.add(adopted)
        return adopted

    def _send(self, observed: ProjectObservation) -> SendAttempt:
        """Note the send attempt, send once, note the outcome."""
        carried = self.journal.redeploy.portfolio if self.journal.redeploy else None
        spec = self.spec
        brokerage = with_carried(spec.brokerage, carried)
        check_portfolio(brokerage)
        patience = _NODE_WAIT_SECONDS if self.journal.redeploy else 0.0
        node = await_node(self.client, spec.project_id, spec.node_id, self.clock() + patience, self.polling)
        spec = replace(spec, node_id=node.id, brokerage=brokerage)
        attempt = attempt_after(observed, self.spec, self.clock())
        self.journal.add(attempt)
        self._check_may_send(attempt)
        log.info("Deploying project %s to node %s.", spec.project_id, spec.node_id)
        try:
            created = self.client.create_live(spec)
        except QuantConnectError as error:
            if proves_nothing_started(error):
                return self._refused(attempt, spec, error)
            return self.outcomes.settle(attempt, error)
        if not created.deploy_id:
            return self.outcomes.settle(attempt)
        return self.outcomes.receive(attempt, created.deploy_id, "created")

    def _check_may_send(self, attempt: SendAttempt) -> None:
        """Refuse to send if too much time has passed, or another attempt of the task has noted something."""
        late = self.clock() - attempt.sent_at > _SEND_WITHIN_SECONDS
        if not late and self.journal.still_ours(attempt):
            return
        if late:
            attempt.state = VOID
            self.journal.save()
        raise NotDeployedError(
            "Nothing was sent: "
            + ("this process was held up." if late else "another attempt of this task is running.")
        )

    def _refused(self, attempt: SendAttempt, spec: LiveSpec, error: QuantConnectError) -> SendAttempt:
        """Verify a refusal with one poll, and say who uses the node if that is why.

        :raises QuantConnectError: always.
        """
        attempt.state = REFUSED
        self.journal.save()
        if not isinstance(error, (RefusedError, NotFoundError)):
            raise error
        try:
            appeared = attempt.deployments_since(self._observe())
            nodes = self.client.read_nodes(spec.project_id)
        except QuantConnectError as unread:
            log.warning("The refusal could not be verified: %s", unread)
            raise error from None
        if appeared:
            raise DeploymentUncertainError(
                f"live/create was refused ({error.args[0]}), and yet {named(appeared)} appeared: someone "
                "else started it at the same moment, or this request did after all."
            ) from error
        try:
            choose_node(nodes, spec.node_id)
        except NoFreeNodeError as taken:
            raise NoFreeNodeError(
                f"{error.args[0]} {taken.args[0]}", endpoint=error.endpoint, api_errors=error.api_errors
            ) from error
        raise error

    def _observe(self) -> ProjectObservation:
        return observe_project(self.client, self.spec.project_id, self.clock)

    def _deployment(self, attempt: SendAttempt, how: str | None = None) -> Deployment:
        return Deployment(str(attempt.deploy_id), self.spec.project_id, how or str(attempt.how))
