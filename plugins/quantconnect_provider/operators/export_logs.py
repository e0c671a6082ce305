"""Exporting a project's log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quantconnect_provider.tasks.export_operator import QuantConnectExportOperator

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient


class QuantConnectExportLogsOperator(QuantConnectExportOperator):
    """Writes the log of a project, of all its deployments, oldest line first, to a path.

    QuantConnect allows an account 45 of these in 30 minutes; all tasks share the count. Returns path and
    bytes. The parameters are those of
    :class:`~quantconnect_provider.tasks.export_operator.QuantConnectExportOperator`.
    """

    def pieces(self, client: QuantConnectClient, project_id: int) -> Iterator[bytes]:
        """Yield the log (live/export/logs), asked for by the project's newest deployment."""
        return client.export_logs(project_id, client.read_live(project_id).deploy_id)
