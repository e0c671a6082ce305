"""Reads live/list: the rows that can be read, and what the others may hide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from quantconnect_provider.client.decode import UNREADABLE, decode_rows, read_whole
from quantconnect_provider.client.models import LiveSummary
from quantconnect_provider.client.odd_values import OddValueReporter, shorten
from quantconnect_provider.client.status import phase_of


@dataclass(frozen=True)
class UnreadDeployment:
    """A row of live/list without what names a deployment.

    :param project_id: None where the row does not say.
    :param status: empty where the row does not say.
    :param row: what came, cut short.
    """

    project_id: int | None
    status: str
    row: str

    @property
    def may_trade(self) -> bool:
        """Whether it cannot be shown that this deployment is over."""
        return phase_of(self.status).may_trade


class LiveListing(list[LiveSummary]):
    """The rows of live/list; those that cannot be read are in ``unread``."""

    def __init__(self, rows: Iterable[LiveSummary] = (), unread: Iterable[UnreadDeployment] = ()) -> None:
        super().__init__(rows)
        self.unread = tuple(unread)

    def of_project(self, project_id: int) -> LiveListing:
        """Return the rows of one project, and the unread ones that may belong to it."""
        return LiveListing(
            (row for row in self if row.project_id == project_id),
            (row for row in self.unread if row.project_id in (None, project_id)),
        )

    def projects_that_may_trade(self) -> list[int]:
        """Return the ids of the projects of all rows, unread ones too, that cannot be shown to be over."""
        running = [row for row in self if phase_of(row.status, row.stopped_at, row.launched_at).may_trade]
        unread = {row.project_id for row in self.unread if row.may_trade and row.project_id is not None}
        return sorted({row.project_id for row in running} | unread)

    def may_hide(self, project_id: int) -> tuple[UnreadDeployment, ...]:
        """Return the unread rows that may be a running deployment of the project.

        Where there are any, the listing does not show that nothing of the project runs. A row that says
        neither its project nor its status counts for none.
        """
        return tuple(
            row
            for row in self.unread
            if row.may_trade and (row.project_id == project_id or (row.project_id is None and row.status))
        )


def read_live_list(payload: dict[str, Any], *, endpoint: str, odd: OddValueReporter) -> LiveListing:
    """Read the response of live/list.

    :raises UnreadableAnswerError: if it has no list.
    """
    rows, unread = decode_rows(LiveSummary, payload.get("live"), name="live", endpoint=endpoint, odd=odd)
    return LiveListing(rows, [_unread_deployment(row) for row in unread])


def _unread_deployment(row: Any) -> UnreadDeployment:
    """Return what can be said about a row of live/list that cannot be read."""
    fields = row if isinstance(row, dict) else {}
    try:
        project_id: int | None = read_whole(fields.get("projectId"))
    except UNREADABLE:
        project_id = None
    status = fields.get("status")
    return UnreadDeployment(
        project_id=project_id,
        status=status if isinstance(status, str) else "",
        row=shorten(row, 200),
    )
