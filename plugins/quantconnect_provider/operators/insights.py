"""Harvesting insights into the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config, harvest
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.live.text_values import read_structure
from quantconnect_provider.tasks.inputs import flag_of, is_nothing, project_ids_of
from quantconnect_provider.tasks.listed_deployment import ListedDeployment, list_deployments
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import QuantConnectClient
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
            targets = self._targets(client)
            with harvest.Store.open(QuantConnectStoreHook(self.store_conn_id).get_conn()) as store:
                run_id = str(context["run_id"])
                listed_at = min((target.listed_at for target in targets), default=None)
                report = harvest.harvest(client, store, targets, options, run_id, listed_at=listed_at)
            context["ti"].xcom_push(key=REPORT_KEY, value=report.to_json())
            report.raise_if_failed()
            return report.counts()

    def _targets(self, client: QuantConnectClient) -> list[ListedDeployment]:
        if not is_nothing(self.deployments):
            listed = read_structure(self.deployments, "deployments")
            if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
                raise InvalidSettingError(
                    "deployments is not a list of objects.", advice="Give what list_deployments returned."
                )
            return [ListedDeployment.from_json(entry) for entry in listed]
        asked = None if is_nothing(self.project_ids) else project_ids_of(self.project_ids)
        return list_deployments(client, asked)

    def _options(self) -> HarvestOptions:
        settings = config.load()
        return harvest.HarvestOptions(
            full=flag_of(self.full, "full"),
            rescore_days=settings.rescore_days,
            full_pass_days=settings.full_pass_days,
        )
