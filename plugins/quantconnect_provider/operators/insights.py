"""Harvesting insights into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider import config, harvest
from quantconnect_provider.tasks.harvest_operator import REPORT_KEY, QuantConnectHarvestOperator
from quantconnect_provider.tasks.inputs import flag_of

if TYPE_CHECKING:
    from datetime import datetime

    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.tasks.listed_deployment import ListedDeployment

__all__ = ["REPORT_KEY", "QuantConnectExtractInsightsOperator"]


class QuantConnectExtractInsightsOperator(QuantConnectHarvestOperator):
    """Brings the store up to date with the insights of one or many live deployments.

    Only what can have changed since the last harvest is read. One deployment that fails stops no other; the
    task then fails at the end, and names what failed. Returns the counts. The report about each deployment is
    the XCom ``report``.

    :param project_ids: harvest all deployments of these projects; None is all projects that have one.
    :param deployments: harvest these instead: a list of `ListedDeployment.to_json`, listed before.
    :param full: read everything again.
    :param store_conn_id: id of the database connection of the store; when it is not defined, the store is
        the SQLite file ``quantconnect.db`` in ``AIRFLOW_HOME``.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    """

    def harvest(
        self,
        client: QuantConnectClient,
        store: harvest.Store,
        targets: list[ListedDeployment],
        run_id: str,
        listed_at: datetime | None,
    ) -> harvest.HarvestReport:
        """Read what can have changed of the targets' insights."""
        settings = config.load()
        options = harvest.HarvestOptions(
            full=flag_of(self.full, "full"),
            rescore_days=settings.rescore_days,
            full_pass_days=settings.full_pass_days,
        )
        return harvest.harvest(client, store, targets, options, run_id, listed_at=listed_at)
