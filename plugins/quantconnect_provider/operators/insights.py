"""Harvesting insights into the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import flag_of, project_ids_of
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import LiveSummary, QuantConnectClient
    from quantconnect_provider.harvest.options import HarvestOptions
    from quantconnect_provider.harvest.report import HarvestReport

REPORT_KEY = "report"
"""XCom key of what became of each deployment; there also when the task fails because some of them did."""


@dataclass
class ListedDeployment:
    """A row of live/list on its way from the task that listed to the one that harvests.

    :param listed_at: when live/list was asked.
    """

    project_id: int
    deploy_id: str
    project_name: str
    status: str
    brokerage: str
    launched_at: datetime | None
    stopped_at: datetime | None
    listed_at: datetime

    @classmethod
    def of(cls, row: LiveSummary, listed_at: datetime, name: str = "") -> ListedDeployment:
        """Take a row of live/list; it may not know the project's name."""
        return cls(
            project_id=row.project_id,
            deploy_id=row.deploy_id,
            project_name=row.project_name or name,
            status=row.status,
            brokerage=row.brokerage,
            launched_at=row.launched_at,
            stopped_at=row.stopped_at,
            listed_at=listed_at,
        )

    def to_json(self) -> dict[str, Any]:
        """Return it for XCom."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def from_json(cls, payload: Mapping[str, Any]) -> ListedDeployment:
        """Take it from XCom."""
        known = {field.name: payload.get(field.name) for field in fields(cls)}
        for name in ("launched_at", "stopped_at", "listed_at"):
            moment = known[name]
            known[name] = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return cls(**known)  # type: ignore[arg-type]


class QuantConnectExtractInsightsOperator(QuantConnectOperator):
    """Brings the store up to date with the insights of one or many live deployments.

    Only what can have changed since the last harvest is read. One deployment that fails stops no other; the
    task then fails at the end, and says what failed. Returns the counts. The report about each deployment is
    the XCom ``report``.

    :param project_ids: harvest all deployments of these projects; None is all projects that have one.
    :param deployments: harvest these instead: rows of `ListedDeployment.to_json`, listed before.
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
        project_ids: Sequence[int] | str | XComArg | None = None,
        deployments: Sequence[Mapping[str, Any]] | XComArg | None = None,
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
        from quantconnect_provider.harvest import Store, harvest
        from quantconnect_provider.hooks.store import QuantConnectStoreHook

        with plain_errors(), self.client() as client:
            chosen = self._settings()
            targets = self._targets(client)
            with Store.open(QuantConnectStoreHook(self.store_conn_id).get_conn()) as store:
                run_id = str(context["run_id"])
                listed_at = min((target.listed_at for target in targets), default=None)
                report = harvest(client, store, targets, chosen, run_id, listed_at=listed_at)
            context["ti"].xcom_push(key=REPORT_KEY, value=report_json(report))
            report.raise_if_failed()
            return report.counts()

    def _targets(self, client: QuantConnectClient) -> list[ListedDeployment]:
        from quantconnect_provider.client.times import utc_now

        if isinstance(self.deployments, Sequence):
            return [ListedDeployment.from_json(entry) for entry in self.deployments]
        asked = project_ids_of(self.project_ids) if self.project_ids is not None else None
        listed_at = utc_now()
        rows = client.list_live()
        if asked is not None:
            check_deployed(asked, {row.project_id for row in rows})
            rows = [row for row in rows if row.project_id in asked]
        return [ListedDeployment.of(row, listed_at) for row in rows]

    def _settings(self) -> HarvestOptions:
        from quantconnect_provider.harvest.options import HarvestOptions

        chosen = config.load()
        return HarvestOptions(
            full=flag_of(self.full, "full"),
            rescore_days=chosen.rescore_days,
            full_pass_days=chosen.full_pass_days,
            first_fill=chosen.first_fill,
        )


def check_deployed(asked: Sequence[int], deployed: set[int]) -> None:
    """Refuse projects that never were live.

    :raises NeverDeployedError: naming them.
    """
    from quantconnect_provider.client.errors import NeverDeployedError

    never = [project_id for project_id in asked if project_id not in deployed]
    if never:
        raise NeverDeployedError(
            f"Never had a live deployment: {', '.join(f'project {each}' for each in never)}.",
            endpoint="live/list",
        )


def report_json(report: HarvestReport) -> dict[str, Any]:
    """Return what became of each deployment, as ids, statuses and counts, for XCom."""
    from quantconnect_provider.harvest.report import one_line

    return {
        "counts": report.counts(),
        "failed": [
            {
                "project_id": result.project_id,
                "project_name": result.project_name,
                "deploy_id": result.deploy_id,
                "error": one_line(result.error),
            }
            for result in report.failed
        ],
    }
