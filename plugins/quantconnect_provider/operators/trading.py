"""Harvesting orders, fills, closed trades and positions into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider import config, harvest
from quantconnect_provider.harvest import trading
from quantconnect_provider.tasks.harvest_operator import QuantConnectHarvestOperator
from quantconnect_provider.tasks.inputs import flag_of

if TYPE_CHECKING:
    from datetime import datetime

    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.tasks.listed_deployment import ListedDeployment


class QuantConnectExtractTradingOperator(QuantConnectHarvestOperator):
    """Brings orders, fills, closed trades and positions of one or many projects in the store up to date.

    Only what is new and what can have changed is read. One project that fails stops no other; the task then
    fails at the end, and names what failed. Returns the counts. The report about each project is the XCom
    ``report``. Orders that do not agree with the sums of their fills open an event of the kind
    ``fills_mismatch`` in ``quantconnect_events``.

    :param project_ids: these projects; None is all that have a deployment.
    :param deployments: harvest the projects of these instead: a list of `ListedDeployment.to_json`, with all
        deployments of each project.
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
    ) -> trading.TradingReport:
        """Read what is new and what can have changed of the targets' projects."""
        options = trading.TradingOptions(
            full=flag_of(self.full, "full"), loading_seconds=config.load().orders_loading_seconds
        )
        return trading.harvest_trading(client, store, targets, options, listed_at=listed_at)
