"""Harvesting orders, fills, closed trades and positions into the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config, harvest
from quantconnect_provider.harvest import trading
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.operators.insights import REPORT_KEY
from quantconnect_provider.tasks.inputs import flag_of
from quantconnect_provider.tasks.listed_targets import listed_targets
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg


class QuantConnectExtractTradingOperator(QuantConnectOperator):
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

    template_fields: Sequence[str] = (
        "project_ids",
        "deployments",
        "full",
        "store_conn_id",
        "quantconnect_conn_id",
    )

    def __init__(
        self,
        *,
        project_ids: Sequence[int | str] | str | XComArg | None = None,
        deployments: Sequence[Mapping[str, Any]] | str | XComArg | None = None,
        full: bool | str = False,
        store_conn_id: str = "quantconnect_store",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_ids = project_ids
        self.deployments = deployments
        self.full = full
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        """Harvest all of them, and fail at the end if one could not be harvested."""
        with self.session() as client:
            options = trading.TradingOptions(
                full=flag_of(self.full, "full"), loading_seconds=config.load().orders_loading_seconds
            )
            targets = listed_targets(client, self.deployments, self.project_ids)
            listed_at = min((target.listed_at for target in targets), default=None)
            with harvest.Store.open(QuantConnectStoreHook(self.store_conn_id).get_conn()) as store:
                report = trading.harvest_trading(client, store, targets, options, listed_at=listed_at)
            context["ti"].xcom_push(key=REPORT_KEY, value=report.to_json())
            report.raise_if_failed()
            return report.counts()
