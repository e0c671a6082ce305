"""Harvesting insights into the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config, harvest
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.tasks.inputs import flag_of
from quantconnect_provider.tasks.listed_targets import listed_targets
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.harvest import HarvestOptions

REPORT_KEY = "report"
"""XCom key of `HarvestReport.to_json`; pushed also when the task fails because some deployments did."""


class QuantConnectExtractInsightsOperator(QuantConnectOperator):
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
            options = self._options()
            targets = listed_targets(client, self.deployments, self.project_ids)
            with harvest.Store.open(QuantConnectStoreHook(self.store_conn_id).get_conn()) as store:
                run_id = str(context["run_id"])
                listed_at = min((target.listed_at for target in targets), default=None)
                report = harvest.harvest(client, store, targets, options, run_id, listed_at=listed_at)
            context["ti"].xcom_push(key=REPORT_KEY, value=report.to_json())
            report.raise_if_failed()
            return report.counts()

    def _options(self) -> HarvestOptions:
        settings = config.load()
        return harvest.HarvestOptions(
            full=flag_of(self.full, "full"),
            rescore_days=settings.rescore_days,
            full_pass_days=settings.full_pass_days,
        )
