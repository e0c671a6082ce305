"""What the DAG `quantconnect_harvest_insights` does around the harvest itself: list, divide, sum up."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from quantconnect_provider import config
from quantconnect_provider.dag_support.harvest_form import harvest_params
from quantconnect_provider.dag_support.log_table import log_table
from quantconnect_provider.dag_support.projects import connect, project_names
from quantconnect_provider.operators.insights import REPORT_KEY, ListedDeployment, check_deployed
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import check_names, project_ids_of

log = logging.getLogger(__name__)


def list_batches(params: Mapping[str, Any]) -> tuple[list[list[dict[str, Any]]], list[str]]:
    """Ask live/list once, and divide what is to be harvested: the batches, and a name for each.

    :raises QuantConnectTaskFailed: naming the param that cannot be right, or projects that never were live.
    """
    with plain_errors():
        check_names(params, harvest_params())
        asked = None if params.get("project_ids") is None else project_ids_of(params["project_ids"])
        listed = _list(asked)
    by_project: dict[int, list[ListedDeployment]] = {}
    for deployment in listed:
        by_project.setdefault(deployment.project_id, []).append(deployment)
    batches = divide(sorted(by_project), config.load().harvest_batch_size)
    log.info("%d deployments of %d projects in %d batches", len(listed), len(by_project), len(batches))
    rows = [[entry.to_json() for each in batch for entry in by_project[each]] for batch in batches]
    return rows, [_name(batch, by_project) for batch in batches]


def divide(project_ids: Sequence[int], batch_size: int) -> list[list[int]]:
    """Divide projects into batches: one project each while they are few, else about *batch_size* each."""
    if len(project_ids) <= batch_size:
        return [[project_id] for project_id in project_ids]
    count = math.ceil(len(project_ids) / batch_size)
    return [list(project_ids[start::count]) for start in range(count)]


def reports_of(ti: Any) -> tuple[list[str] | None, dict[int, dict[str, Any]]]:
    """Return the batches' names, None if listing failed, and the reports by number of the batch."""
    names = ti.xcom_pull(task_ids="list_deployments", key="names")
    found = ti.xcom_pull(task_ids="extract", key=REPORT_KEY, map_indexes=range(len(names or [])))
    return names, {number: report for number, report in enumerate(found) if report is not None}


def total(reports: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the counts of all batches together."""
    counts: dict[str, int] = {}
    for report in reports:
        for name, count in report["counts"].items():
            counts[name] = counts.get(name, 0) + count
    return counts


def sum_up(names: Sequence[str] | None, reports: Mapping[int, Mapping[str, Any]]) -> None:
    """Log a table of all batches, and one of what failed.

    :param names: the batches; None if listing failed.
    :param reports: by number of the batch; one that ended before it could report is missing.
    :raises AirflowFailException: when anything could not be harvested.
    """
    if names is None:
        raise AirflowFailException("Nothing was harvested: the deployments could not be listed.")
    columns = ("deployments", "requests", "read", "inserted", "updated", "failed")
    rows = [
        (name, *(str(reports[number]["counts"].get(column, 0)) for column in columns))
        for number, name in enumerate(names)
        if number in reports
    ]
    totals = total(reports.values())
    log_table(
        log,
        ("batch", *columns),
        [*rows, ("total", *(str(totals.get(column, 0)) for column in columns))],
    )
    failed = [
        (str(entry["project_id"]), entry["project_name"], entry["deploy_id"], entry["error"])
        for report in reports.values()
        for entry in report["failed"]
    ]
    lost = [name for number, name in enumerate(names) if number not in reports]
    failed += [("", name, "", "its task ended without a report; see its log") for name in lost]
    if failed:
        log.info("Not harvested:")
        log_table(log, ("project", "name", "deployment", "why"), failed)
        raise AirflowFailException(
            f"{len(failed)} could not be harvested, everything else was: "
            + ", ".join(entry[1] or entry[0] for entry in failed)
        )


def _list(asked: Sequence[int] | None) -> list[ListedDeployment]:
    from quantconnect_provider.client.times import utc_now

    with connect() as client:
        listed_at = utc_now()
        rows = client.list_live()
        if asked is not None:
            check_deployed(asked, {row.project_id for row in rows})
            rows = [row for row in rows if row.project_id in asked]
        names = {} if all(row.project_name for row in rows) else project_names(client)
    return [ListedDeployment.of(row, listed_at, names.get(row.project_id, "")) for row in rows]


def _name(batch: Sequence[int], by_project: Mapping[int, Sequence[ListedDeployment]]) -> str:
    first = by_project[batch[0]][0].project_name or str(batch[0])
    return first if len(batch) == 1 else f"{first} and {len(batch) - 1} more"
