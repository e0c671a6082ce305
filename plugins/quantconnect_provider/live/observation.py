"""What live/list and live/read show of a project's deployments at one moment."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import (
    NeverDeployedError,
    NotFoundError,
    QuantConnectError,
    ServerError,
    UnreadableAnswerError,
)
from quantconnect_provider.client.models import LiveDeployment, LiveSummary
from quantconnect_provider.client.status import Phase, phase_of
from quantconnect_provider.live.polling import Clock

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient


@dataclass(frozen=True)
class Observation:
    """One deployment at one moment.

    :param message: the API's words about it (its error), often empty.
    """

    deploy_id: str
    status: str
    launched_at: datetime | None = None
    stopped_at: datetime | None = None
    message: str = ""
    brokerage: str = ""
    project_name: str = ""

    @classmethod
    def of(cls, row: LiveSummary | LiveDeployment) -> Observation:
        """Take what matters from a row of live/list or from an answer of live/read."""
        return cls(
            deploy_id=row.deploy_id,
            status=row.status,
            launched_at=row.launched_at,
            stopped_at=row.stopped_at,
            message=row.error if isinstance(row, LiveSummary) else row.message,
            brokerage=row.brokerage,
            project_name=row.project_name,
        )

    @property
    def phase(self) -> Phase:
        """What the status and the times mean together."""
        return phase_of(self.status, self.stopped_at, self.launched_at)


@dataclass(frozen=True)
class ProjectObservation:
    """All deployments of one project at one moment.

    :param current_id: the deployment that stop and liquidate would act on: they take a project id only.
    :param looked_at: unix seconds, before live/list was sent.
    :param unreadable: rows of live/list that cannot be read and may be running deployments of the project.
    """

    project_id: int
    seen: dict[str, Observation]
    current_id: str | None
    looked_at: float
    unreadable: tuple[str, ...] = ()

    @property
    def current(self) -> Observation | None:
        """The project's newest deployment, running or over."""
        return self.seen.get(self.current_id) if self.current_id else None

    @property
    def active(self) -> list[Observation]:
        """The deployments that trade, will trade, or may trade as far as the API shows.

        An unknown status counts for the newest deployment only: an old row with an odd status must not
        block a project for ever.
        """
        return [
            deployment
            for deployment in self.seen.values()
            if deployment.phase.may_trade
            and (deployment.phase is not Phase.UNKNOWN or deployment.deploy_id == self.current_id)
        ]


def observe_project(
    client: QuantConnectClient, project_id: int, clock: Clock = time.time
) -> ProjectObservation:
    """Ask live/list and live/read; about the newest deployment, live/read has the last word.

    :raises QuantConnectError: if either does not answer. A project that was never deployed is no error.
    """
    looked_at = clock()
    listing = client.list_live(project_id)
    unreadable = tuple(row.row for row in listing.may_hide(project_id))
    seen = {row.deploy_id: Observation.of(row) for row in listing if row.project_id == project_id}
    try:
        newest = client.read_live(project_id)
    except NeverDeployedError:
        return ProjectObservation(project_id, seen, _latest(seen), looked_at, unreadable)
    seen[newest.deploy_id] = Observation.of(newest)
    return ProjectObservation(project_id, seen, newest.deploy_id, looked_at, unreadable)


def observe_deployment(client: QuantConnectClient, project_id: int, deploy_id: str) -> Observation | None:
    """Ask live/list for one deployment by its id, and live/read where it is not readable there.

    Returns None if neither shows it.

    :raises QuantConnectError: if the API does not answer.
    """
    list_error: QuantConnectError | None = None
    try:
        for row in client.list_live(project_id):
            if row.deploy_id == deploy_id:
                return Observation.of(row)
    except (ServerError, UnreadableAnswerError) as error:
        list_error = error
    try:
        newest = client.read_live(project_id)
    except NotFoundError:
        newest = None
    except QuantConnectError as error:
        raise list_error or error from None
    if newest is not None and newest.deploy_id == deploy_id:
        return Observation.of(newest)
    if list_error is not None:
        raise list_error
    return None


def named(deployments: Iterable[Observation]) -> str:
    """Return e.g. ``L-1 (Running), L-2 (InQueue)``."""
    return ", ".join(f"{entry.deploy_id} ({entry.status})" for entry in deployments)


def _latest(seen: dict[str, Observation]) -> str | None:
    launched = [entry for entry in seen.values() if entry.launched_at is not None]
    if not launched:
        return next(iter(seen), None)
    return max(
        launched, key=lambda entry: entry.launched_at.timestamp() if entry.launched_at else 0
    ).deploy_id
