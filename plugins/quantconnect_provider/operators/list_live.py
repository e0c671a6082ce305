"""Listing live deployments."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider.plain_text import counted, log_table
from quantconnect_provider.tasks.inputs import project_id_of, text_or_none
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import LiveSummary

log = logging.getLogger(__name__)

_HEADS = ("Project", "Name", "Deployment", "Status", "Launched")


class QuantConnectListLiveOperator(QuantConnectOperator):
    """Lists live deployments, past ones included, with one request.

    Returns one object for each: project id, deployment id, status and times.

    :param project_id: only those of this project; by default those of all projects.
    :param status: only those with this status: ``Running``, ``Stopped``, ``RuntimeError``, ``Liquidated``.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    """

    template_fields: Sequence[str] = ("project_id", "status", "quantconnect_conn_id")

    def __init__(
        self, *, project_id: int | str | XComArg | None = None, status: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.status = status

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Ask live/list once."""
        with self.session() as client:
            asked = text_or_none(self.project_id)
            project_id = None if asked is None else project_id_of(asked)
            rows = client.list_live(project_id, text_or_none(self.status))
        log_table(log, _HEADS, [_cells(row) for row in rows])
        self.log.info("%s", counted(len(rows), "deployment"))
        return [
            {
                "project_id": row.project_id,
                "deploy_id": row.deploy_id,
                "status": row.status,
                "launched_at": row.launched_at.isoformat() if row.launched_at else None,
                "stopped_at": row.stopped_at.isoformat() if row.stopped_at else None,
            }
            for row in rows
        ]


def _cells(row: LiveSummary) -> tuple[object, ...]:
    launched = row.launched_at.isoformat(timespec="seconds") if row.launched_at else ""
    return row.project_id, row.project_name, row.deploy_id, row.status, launched
