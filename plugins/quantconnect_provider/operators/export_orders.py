"""Exporting a project's orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quantconnect_provider.tasks.export_operator import QuantConnectExportOperator

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient


class QuantConnectExportOrdersOperator(QuantConnectExportOperator):
    """Writes the CSV file of a project's orders, of all its deployments in the last 750 days, to a path.

    The file has no fees; the tables of the trading harvest do. Returns path and bytes. The parameters are
    those of :class:`~quantconnect_provider.tasks.export_operator.QuantConnectExportOperator`.
    """

    def pieces(self, client: QuantConnectClient, project_id: int) -> Iterator[bytes]:
        """Yield the CSV file (live/export/orders)."""
        return client.export_orders(project_id)
