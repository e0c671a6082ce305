"""Makes room for a new deployment: stops the one that runs, after noting which it is and what it holds."""

from __future__ import annotations

import logging

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.models import LiveSpec
from quantconnect_provider.live.carry_over import note_of, wants_portfolio
from quantconnect_provider.live.errors import AlreadyRunningError
from quantconnect_provider.live.ledger import Ledger
from quantconnect_provider.live.looks import Pace, ProjectLook, look_at_project, named
from quantconnect_provider.live.options import CreateOptions
from quantconnect_provider.live.record import Record, Redeploy
from quantconnect_provider.live.wind_down import Action, WindDown

log = logging.getLogger(__name__)

STOP_KEY = "quantconnect_deploy_stop"


def make_room(
    client: QuantConnectClient,
    spec: LiveSpec,
    ledger: Ledger,
    record: Record,
    look: ProjectLook,
    *,
    options: CreateOptions,
    pace: Pace,
) -> ProjectLook:
    """Stop the project's running deployment and return a look in which nothing runs.

    An attempt that finds a redeploy under way goes on with it: only the deployment noted by the first one
    is ever stopped.

    :raises AlreadyRunningError: if another deployment was started meanwhile.
    :raises WaitTimeoutError: if it does not end.
    """
    redeploy = record.redeploy or _begin(client, spec, record, look)
    if not redeploy.over:
        stop = WindDown(
            client,
            spec.project_id,
            Action.STOP,
            ledger,
            deploy_id=redeploy.deploy_id,
            key=STOP_KEY,
            resend_seconds=options.resend_seconds,
            pace=pace,
        )
        ended = stop.run(pace.clock() + options.stop_seconds)
        log.info("%s is %s; deploying in its place.", ended.deploy_id, ended.status)
        redeploy.over = True
        record.save()
    look = look_at_project(client, spec.project_id, pace.clock)
    if look.active:
        record.redeploy = None  # a person decides: clearing the task begins a new redeploy
        record.save()
        raise AlreadyRunningError(
            f"{redeploy.deploy_id} of project {spec.project_id} was stopped to redeploy it, and someone "
            f"else started {named(look.active)} meanwhile.",
            advice="Clear this task to redeploy that one too.",
        )
    return look


def _begin(client: QuantConnectClient, spec: LiveSpec, record: Record, look: ProjectLook) -> Redeploy:
    """Note what is stopped and what it holds, before it is stopped."""
    running = look.active[0]
    wanted = wants_portfolio(spec.brokerage)
    portfolio = note_of(client.read_portfolio(spec.project_id)) if wanted else None
    record.redeploy = Redeploy(deploy_id=running.deploy_id, portfolio=portfolio)
    record.save()
    log.info("Redeploying project %s: %s is stopped first.", spec.project_id, running.deploy_id)
    return record.redeploy
