"""Deployments that ran and that live/list leaves out: one read finds out whether they are gone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import NotFoundError, QuantConnectError
from quantconnect_provider.client.models import LiveDeployment, LiveSummary
from quantconnect_provider.store.events import STOPPED_ELSEWHERE, WARNING, Problem
from quantconnect_provider.store.live_requests import load_live_requests
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.watched import Watched
from quantconnect_provider.watch.sighting import may_trade

if TYPE_CHECKING:
    from quantconnect_provider.client import LiveListing, QuantConnectClient

log = logging.getLogger(__name__)


@dataclass
class Missing:
    """Deployments that ran when the last cycle saw them, and that live/list leaves out.

    :param found: those that live/read shows.
    :param gone: those that it does not know either, by their ids.
    :param unclear: ids of those that could not be read, or may be a row that cannot be read; the next cycle
        asks again.
    """

    found: list[LiveSummary] = field(default_factory=list)
    gone: dict[str, Watched] = field(default_factory=dict)
    unclear: set[str] = field(default_factory=set)

    def gone_unasked(self, store: Store, at: datetime) -> list[Watched]:
        """Return those of ``gone`` that no run of this Airflow stopped."""
        if not self.gone:
            return []
        requests = load_live_requests(store, {seen.project_id for seen in self.gone.values()})
        return [
            seen
            for seen in self.gone.values()
            if not any(each.ended(seen.deploy_id, at) for each in requests.get(seen.project_id, ()))
        ]


def find_missing(client: QuantConnectClient, listing: LiveListing, memory: Mapping[str, Watched]) -> Missing:
    """Ask live/read about each deployment that ran and is not listed.

    A row of live/list that cannot be read may be the deployment that is missed: then nothing is concluded.
    """
    missing = Missing()
    listed = {row.deploy_id for row in listing}
    for deploy_id, seen in memory.items():
        if deploy_id in listed or not may_trade(seen):
            continue
        if listing.may_hide(seen.project_id):
            missing.unclear.add(deploy_id)
            continue
        try:
            live = client.read_live(seen.project_id, deploy_id)
        except NotFoundError:
            missing.gone[deploy_id] = seen
        except QuantConnectError as error:
            log.warning("%s is not listed any more, and live/read failed: %s", deploy_id, error)
            missing.unclear.add(deploy_id)
        else:
            if live.deploy_id == deploy_id:
                missing.found.append(_as_row(live))
            else:
                missing.gone[deploy_id] = seen
    return missing


def problem_of_gone(seen: Watched) -> Problem:
    """Return the problem of a deployment that was running and is gone."""
    text = "Ran, and is not there any more: its project was deleted, or this account may not see it."
    return Problem(seen.project_id, seen.deploy_id, STOPPED_ELSEWHERE, WARNING, text, {"status": seen.status})


def _as_row(live: LiveDeployment) -> LiveSummary:
    return LiveSummary(
        project_id=live.project_id,
        deploy_id=live.deploy_id,
        status=live.status,
        project_name=live.project_name,
        launched_at=live.launched_at,
        stopped_at=live.stopped_at,
        brokerage=live.brokerage,
        error=live.message,
    )
