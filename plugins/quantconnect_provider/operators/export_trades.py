"""Exporting a project's closed trades."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quantconnect_provider.tasks.export_operator import QuantConnectExportOperator

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient


class QuantConnectExportTradesOperator(QuantConnectExportOperator):
    """Writes the CSV file of a project's closed trades, of all its deployments, to a path.

    Returns path and bytes. The parameters are those of
    :class:`~quantconnect_provider.tasks.export_operator.QuantConnectExportOperator`.
    """

    def pieces(self, client: QuantConnectClient, project_id: int) -> Iterator[bytes]:
        """Yield the CSV file (live/export/trades)."""
        return client.export_trades(project_id)
