"""Reading a project's live deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider.live.statistics import statistics_lines
from quantconnect_provider.tasks.inputs import project_id_of, text_or_none
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg


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
        with self.session() as client:
            deployment = client.read_live(project_id_of(self.project_id), text_or_none(self.deploy_id))
        for line in statistics_lines(deployment):
            self.log.info("%s", line)
        return {
            "project_id": deployment.project_id,
            "deploy_id": deployment.deploy_id,
            "status": deployment.status,
            "launched_at": deployment.launched_at.isoformat() if deployment.launched_at else None,
            "stopped_at": deployment.stopped_at.isoformat() if deployment.stopped_at else None,
        }
