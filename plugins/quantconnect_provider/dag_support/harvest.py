"""What the DAG `quantconnect_harvest_insights` does around the harvest itself: list, divide, sum up."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quantconnect_provider import config
from quantconnect_provider.dag_support.harvest_form import harvest_params
from quantconnect_provider.dag_support.projects import connect, project_names
from quantconnect_provider.plain_text import counted, log_table
from quantconnect_provider.tasks.failures import TaskFailed, plain_errors
from quantconnect_provider.tasks.harvest_operator import REPORT_KEY
from quantconnect_provider.tasks.inputs import check_names, is_nothing, project_ids_of
from quantconnect_provider.tasks.listed_deployment import ListedDeployment, list_deployments

log = logging.getLogger(__name__)

COLUMNS = ("deployments", "requests", "read", "inserted", "updated", "failed")
TRADING_COLUMNS = ("projects", "requests", "orders", "fills", "trades", "updated", "positions", "failed")


def list_batches(params: Mapping[str, Any]) -> tuple[list[list[dict[str, Any]]], list[str]]:
    """Ask live/list once, and divide what is to be harvested: the batches, and a name for each.

    :raises QuantConnectTaskFailed: naming the param that cannot be right, or projects that never were live.
    """
    with plain_errors():
        check_names(params, harvest_params())
        asked = params.get("project_ids")
        listed = _list(None if is_nothing(asked) else project_ids_of(asked))
    by_project: dict[int, list[ListedDeployment]] = {}
    for deployment in listed:
        by_project.setdefault(deployment.project_id, []).append(deployment)
    batches = divide(sorted(by_project), config.load().harvest_batch_size)
    log.info(
        "%s of %s to harvest, in %s.",
        counted(len(listed), "deployment"),
        counted(len(by_project), "project"),
        counted(len(batches), "task"),
    )
    rows = [[entry.to_json() for each in batch for entry in by_project[each]] for batch in batches]
    return rows, [_name(batch, by_project) for batch in batches]


def divide(project_ids: Sequence[int], batch_size: int) -> list[list[int]]:
    """Divide projects into batches: one project each while they are few, else about *batch_size* each."""
    if len(project_ids) <= batch_size:
        return [[project_id] for project_id in project_ids]
    count = math.ceil(len(project_ids) / batch_size)
    return [list(project_ids[start::count]) for start in range(count)]


def reports_of(ti: Any, task_id: str = "extract") -> tuple[list[str] | None, dict[int, dict[str, Any]]]:
    """Return the batches' names, None if listing failed, and a task's reports by number of the batch."""
    names = ti.xcom_pull(task_ids="list_deployments", key="names")
    found = ti.xcom_pull(task_ids=task_id, key=REPORT_KEY, map_indexes=range(len(names or [])))
    return names, {number: report for number, report in enumerate(found) if report is not None}


def total(reports: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the counts of all batches together."""
    counts: dict[str, int] = {}
    for report in reports:
        for name, count in report["counts"].items():
            counts[name] = counts.get(name, 0) + count
    return counts


def sum_up(
    names: Sequence[str] | None,
    reports: Mapping[int, Mapping[str, Any]],
    trading: Mapping[int, Mapping[str, Any]] | None = None,
) -> None:
    """Log tables of all batches, and one of what failed and why.

    :param names: the batches; None if listing failed.
    :param reports: by number of the batch; one that ended before it could report is missing.
    :param trading: those of the task trading; None if it is off.
    :raises TaskFailed: when anything could not be harvested.
    """
    if names is None:
        raise TaskFailed(
            "Nothing was harvested: the deployments could not be listed, see the log of list_deployments."
        )
    if not names:
        log.info("There is no live deployment to harvest.")
        return
    _log_counts(names, reports, COLUMNS)
    failed = _failed(names, reports, "extract")
    if trading is not None:
        _log_counts(names, trading, TRADING_COLUMNS)
        failed += _failed(names, trading, "trading")
    if failed:
        log_table(log, ("not harvested", "deployment", "why"), failed)
        raise TaskFailed(
            f"{len(failed)} could not be harvested, everything else was: "
            + "; ".join(f"{name} ({why.rstrip('.')})" for name, _, why in failed)
        )


def _log_counts(
    names: Sequence[str], reports: Mapping[int, Mapping[str, Any]], columns: Sequence[str]
) -> None:
    rows = [
        (name, *(f"{reports[number]['counts'].get(column, 0):,}" for column in columns))
        for number, name in enumerate(names)
        if number in reports
    ]
    if len(rows) > 1:
        totals = total(reports.values())
        rows.append(("total", *(f"{totals.get(column, 0):,}" for column in columns)))
    log_table(log, ("project", *columns), rows, numbers=columns)


def _failed(
    names: Sequence[str], reports: Mapping[int, Mapping[str, Any]], task_id: str
) -> list[tuple[str, str, str]]:
    """Return name, deployment and cause of all that a task did not harvest."""
    failed = [
        (entry["project_name"] or str(entry["project_id"]), entry["deploy_id"], entry["error"])
        for report in reports.values()
        for entry in report["failed"]
    ]
    lost = [name for number, name in enumerate(names) if number not in reports]
    why = f"its task ended without a report, see the log of {task_id}"
    return failed + [(name, "", why) for name in lost]


def _list(asked: Sequence[int] | None) -> list[ListedDeployment]:
    with connect() as client:
        listed = list_deployments(client, asked)
        if not all(deployment.project_name for deployment in listed):
            names = project_names(client)
            for deployment in listed:
                deployment.project_name = deployment.project_name or names.get(deployment.project_id, "")
    return listed


def _name(batch: Sequence[int], by_project: Mapping[int, Sequence[ListedDeployment]]) -> str:
    first = by_project[batch[0]][0].project_name or str(batch[0])
    return first if len(batch) == 1 else f"{first} and {len(batch) - 1} more"
