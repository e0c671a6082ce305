"""Makes room for a new deployment: stops the one that runs, after noting which it is and what it holds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.live_request import LiveSpec
from quantconnect_provider.live.deploy.carry_over import portfolio_snapshot, wants_portfolio
from quantconnect_provider.live.deploy.journal import DeployJournal, Redeploy
from quantconnect_provider.live.deploy.options import DeployOptions
from quantconnect_provider.live.deployment_errors import AlreadyRunningError
from quantconnect_provider.live.notes import TaskNotes
from quantconnect_provider.live.observation import (
    Observation,
    ProjectObservation,
    named,
    observe_project,
)
from quantconnect_provider.live.polling import Polling
from quantconnect_provider.live.wind_down.steps import Action, WindDown

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

STOP_KEY = "quantconnect_deploy_stop"


def check_room(observed: ProjectObservation, if_running: str) -> None:
    """Check that what runs may be adopted or replaced, and that it is one deployment that can be read.

    :raises AlreadyRunningError: if not.
    """
    if observed.unreadable:
        raise AlreadyRunningError(
            f"live/list shows a deployment of project {observed.project_id} that cannot be read and may "
            f"be running: {observed.unreadable[0]}.",
            advice="Open the project on quantconnect.com, stop what should not run, and run again.",
        )
    running = observed.active
    if len(running) > 1:
        raise AlreadyRunningError(
            f"Several deployments of project {observed.project_id} run: {named(running)}.",
            advice="Stop all but one on quantconnect.com first.",
        )
    if running and if_running == "fail":
        raise AlreadyRunningError(f"Project {observed.project_id} is live already: {named(running)}.")


def make_room(
    client: QuantConnectClient,
    spec: LiveSpec,
    notes: TaskNotes,
    journal: DeployJournal,
    observed: ProjectObservation,
    *,
    options: DeployOptions,
    polling: Polling,
) -> ProjectObservation:
    """Stop the project's running deployment and return an observation in which nothing runs.

    An attempt that finds a redeploy in progress continues it: only the deployment that the first one noted is
    ever stopped.

    :raises AlreadyRunningError: if another deployment has been started since.
    :raises WaitTimeoutError: if the deployment does not end in time.
    """
    redeploy = journal.redeploy or _begin(client, spec, journal, observed)
    if not redeploy.over:
        stop = WindDown(
            client,
            spec.project_id,
            Action.STOP,
            notes,
            deploy_id=redeploy.deploy_id,
            key=STOP_KEY,
            resend_seconds=options.resend_seconds,
            polling=polling,
        )
        ended = stop.run(polling.clock() + options.stop_seconds)
        log.info("%s is %s; deploying in its place.", ended.deploy_id, ended.status)
        redeploy.over = True
        journal.save()
    observed = observe_project(client, spec.project_id, polling.clock)
    if observed.active:
        journal.redeploy = None  # a person decides: clearing the task begins a new redeploy
        journal.save()
        raise AlreadyRunningError(
            f"{redeploy.deploy_id} of project {spec.project_id} was stopped to redeploy it, and someone "
            f"else has started {named(observed.active)} since.",
            advice="Clear this task to redeploy that one too.",
        )
    check_room(observed, "redeploy")  # what was held stays noted: a later attempt goes on from here
    return observed


def _begin(
    client: QuantConnectClient, spec: LiveSpec, journal: DeployJournal, observed: ProjectObservation
) -> Redeploy:
    """Note what is stopped and what it holds, before it is stopped."""
    running = observed.active[0]
    portfolio = _portfolio(client, spec.project_id, running) if wants_portfolio(spec.brokerage) else None
    journal.redeploy = Redeploy(deploy_id=running.deploy_id, portfolio=portfolio)
    journal.save()
    log.info("Redeploying project %s: %s is stopped first.", spec.project_id, running.deploy_id)
    return journal.redeploy


def _portfolio(client: QuantConnectClient, project_id: int, running: Observation) -> dict[str, Any]:
    try:
        return portfolio_snapshot(client.read_portfolio(project_id))
    except UnreadableAnswerError as error:
        raise UnreadableAnswerError(
            f"{running.deploy_id} was not stopped, because what it holds cannot be read: {error.args[0]}",
            endpoint=error.endpoint,
            advice="Give cash and holdings in the form of the run; then they are not read.",
        ) from error
