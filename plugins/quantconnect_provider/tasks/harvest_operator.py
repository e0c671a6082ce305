"""What the operators that harvest share: which deployments, which store, and a report as XCom."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from quantconnect_provider import harvest
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.tasks.listed_targets import listed_targets
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.tasks.listed_deployment import ListedDeployment

REPORT_KEY = "report"
"""XCom key of the report's JSON; pushed also when the task fails because something could not be harvested."""


class Report(Protocol):
    """What a harvest says at its end."""

    def counts(self) -> dict[str, int]:
        """Return the totals."""

    def to_json(self) -> dict[str, Any]:
        """Return the counts and what failed."""

    def raise_if_failed(self) -> None:
        """Raise if anything failed."""


class QuantConnectHarvestOperator(QuantConnectOperator):
    """An operator that brings the store up to date with one or many live deployments.

    What fails stops nothing else; the task then fails at the end, and names what failed. Returns the counts.
    The report is the XCom ``report``.

    :param project_ids: these projects; None is all that have a deployment.
    :param deployments: these deployments instead: a list of `ListedDeployment.to_json`, listed before.
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

    @abstractmethod
    def harvest(
        self,
        client: QuantConnectClient,
        store: harvest.Store,
        targets: list[ListedDeployment],
        run_id: str,
        listed_at: datetime | None,
    ) -> Report:
        """Harvest the targets into the store.

        :param listed_at: when the first of them was listed; None without targets.
        """

    def execute(self, context: Context) -> dict[str, int]:
        """Harvest all of them, and fail at the end if one could not be harvested."""
        with self.session() as client:
            targets = listed_targets(client, self.deployments, self.project_ids)
            listed_at = min((target.listed_at for target in targets), default=None)
            with harvest.Store.open(QuantConnectStoreHook(self.store_conn_id).get_conn()) as store:
                report = self.harvest(client, store, targets, str(context["run_id"]), listed_at)
            context["ti"].xcom_push(key=REPORT_KEY, value=report.to_json())
            report.raise_if_failed()
            return report.counts()
