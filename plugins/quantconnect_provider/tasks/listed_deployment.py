"""Live deployments on their way from the task that lists them to the one that harvests them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import NeverDeployedError
from quantconnect_provider.client.times import utc_now

if TYPE_CHECKING:
    from quantconnect_provider.client import LiveSummary, QuantConnectClient

_TIMES = ("launched_at", "stopped_at", "listed_at")


@dataclass
class ListedDeployment:
    """A row of live/list that can go through XCom.

    :param listed_at: when live/list was asked.
    """

    project_id: int
    deploy_id: str
    project_name: str
    status: str
    brokerage: str
    launched_at: datetime | None
    stopped_at: datetime | None
    listed_at: datetime

    @classmethod
    def of(cls, row: LiveSummary, listed_at: datetime) -> ListedDeployment:
        """Take a row of live/list; it may not know the project's name."""
        return cls(
            project_id=row.project_id,
            deploy_id=row.deploy_id,
            project_name=row.project_name,
            status=row.status,
            brokerage=row.brokerage,
            launched_at=row.launched_at,
            stopped_at=row.stopped_at,
            listed_at=listed_at,
        )

    def to_json(self) -> dict[str, Any]:
        """Return it for XCom."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def from_json(cls, payload: Mapping[str, Any]) -> ListedDeployment:
        """Take it from XCom."""
        known = {field.name: payload.get(field.name) for field in fields(cls)}
        for name in _TIMES:
            moment = known[name]
            known[name] = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return cls(**known)  # type: ignore[arg-type]


def list_deployments(
    client: QuantConnectClient, project_ids: Sequence[int] | None = None
) -> list[ListedDeployment]:
    """Return all live deployments, past ones included, with one request (live/list).

    :param project_ids: only those of these projects.
    :raises NeverDeployedError: naming the projects that have none.
    :raises QuantConnectError: if the API does not answer.
    """
    listed_at = utc_now()
    rows: list[LiveSummary] = client.list_live()
    if project_ids is not None:
        deployed = {row.project_id for row in rows}
        never = [f"project {project_id}" for project_id in project_ids if project_id not in deployed]
        if never:
            raise NeverDeployedError(
                f"Never had a live deployment: {', '.join(never)}.", endpoint="live/list"
            )
        rows = [row for row in rows if row.project_id in project_ids]
    return [ListedDeployment.of(row, listed_at) for row in rows]
