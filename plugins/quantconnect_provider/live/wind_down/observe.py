"""What a wind-down sees of a project, also while live/list cannot be read.

One odd row of live/list must not keep a running deployment from being stopped. live/read alone names the
deployment that stop and liquidate act on; only live/list shows others that run beside it.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import ServerError, UnreadableAnswerError
from quantconnect_provider.live.observation import Observation, ProjectObservation, observe_project
from quantconnect_provider.live.polling import Clock

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)


def observe_to_wind_down(
    client: QuantConnectClient,
    project_id: int,
    *,
    known_id: str | None = None,
    clock: Clock = time.time,
) -> ProjectObservation:
    """Observe a project from live/list and live/read; from live/read alone where the target is certain.

    :param known_id: a deployment for which a request was sent before: certain also when it is over.
    :raises QuantConnectError: if live/read does not answer; if live/list cannot be read and the newest
        deployment is over, because an older one that still runs would be in live/list only.
    """
    observed_at = clock()
    try:
        return observe_project(client, project_id, clock)
    except (ServerError, UnreadableAnswerError) as error:
        if error.endpoint != "live/list":
            raise
        newest = Observation.of(client.read_live(project_id))
        if newest.phase.over and newest.deploy_id != known_id:
            raise
        log.warning("%s Going on with live/read: %s is %s.", error.args[0], newest.deploy_id, newest.status)
        return ProjectObservation(project_id, {newest.deploy_id: newest}, newest.deploy_id, observed_at)
