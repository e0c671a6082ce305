"""Operators for live deployments: make, read, list, stop, liquidate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider.operators.create_live import QuantConnectCreateLiveOperator
from quantconnect_provider.operators.liquidate_live import QuantConnectLiquidateLiveOperator
from quantconnect_provider.operators.stop_live import QuantConnectStopLiveOperator
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import project_id_of, text_or_none
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import LiveSummary

__all__ = [
    "QuantConnectCreateLiveOperator",
    "QuantConnectLiquidateLiveOperator",
    "QuantConnectListLiveOperator",
    "QuantConnectReadLiveOperator",
    "QuantConnectStopLiveOperator",
]


class QuantConnectReadLiveOperator(QuantConnectOperator):
    """Reads a project's live deployment: its statistics into the log, ids, status and times as the result.

    :param project_id: the project.
    :param deploy_id: which deployment; by default the project's newest.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    """

    template_fields: Sequence[str] = ("project_id", "deploy_id", "quantconnect_conn_id")

    def __init__(
        self, *, project_id: int | str | XComArg, deploy_id: str | XComArg | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.deploy_id = deploy_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask live/read once."""
        from quantconnect_provider.live.statistics import statistics_lines

        with plain_errors(), self.client() as client:
            deployment = client.read_live(project_id_of(self.project_id), text_or_none(self.deploy_id))
            first, *details = statistics_lines(deployment)
            self.log.info("%s", first)
            with self.log_group("Statistics"):
                for line in details:
                    self.log.info("%s", line)
            return {
                "project_id": deployment.project_id,
                "deploy_id": deployment.deploy_id,
                "status": deployment.status,
                "launched_at": _iso(deployment.launched_at),
                "stopped_at": _iso(deployment.stopped_at),
            }


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
        with plain_errors(), self.client() as client:
            asked = text_or_none(self.project_id)
            project_id = None if asked is None else project_id_of(asked)
            rows = client.list_live(project_id, text_or_none(self.status))
        with self.log_group("Deployments"):
            for row in rows:
                self.log.info("%s", _line(row))
        self.log.info("%d deployments", len(rows))
        return [
            {
                "project_id": row.project_id,
                "deploy_id": row.deploy_id,
                "status": row.status,
                "launched_at": _iso(row.launched_at),
                "stopped_at": _iso(row.stopped_at),
            }
            for row in rows
        ]


def _line(row: LiveSummary) -> str:
    name = f" {row.project_name!r}" if row.project_name else ""
    return (
        f"{row.deploy_id} of project {row.project_id}{name}: {row.status}, launched {_iso(row.launched_at)}"
    )


def _iso(moment: Any) -> str | None:
    return None if moment is None else str(moment.isoformat())
