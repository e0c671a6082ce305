"""What the DAG `quantconnect_wind_down` does around stopping and liquidating: choose, ask, sum up."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from quantconnect_provider.dag_support.approval_gate import ApprovalGate, Question
from quantconnect_provider.dag_support.projects import connect, project_names
from quantconnect_provider.dag_support.wind_down_form import wind_down_params
from quantconnect_provider.plain_text import log_table
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import check_names, one_of, project_ids_of

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

ACTIONS = ("stop", "liquidate")
_PAPER = ("PaperBrokerage", "QuantConnectBrokerage")


def choose(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the projects to wind down: id and name of each.

    :raises QuantConnectTaskFailed: naming the param that cannot be right.
    """
    from quantconnect_provider.client.status import phase_of
    from quantconnect_provider.live.approval.rules import wind_down_approval_needed

    with plain_errors():
        check_names(params, wind_down_params())
        action = one_of(params["action"], ACTIONS, "action")
        wind_down_approval_needed(params["approval"], action)
        ids = _asked(params)
        with connect() as client:
            names = project_names(client)
            if ids is None:
                rows = [row for row in client.list_live() if phase_of(row.status, row.stopped_at).may_trade]
                ids = sorted({row.project_id for row in rows})
    for project_id in ids:
        log.info("To %s: project %s %s", action, project_id, names.get(project_id, ""))
    log.info("%d projects to %s", len(ids), action)
    return [{"project_id": each, "name": names.get(each) or str(each)} for each in ids]


class WindDownApproval(ApprovalGate):
    """Asks before a wind-down, as the param ``approval`` says: ``auto`` asks before liquidating."""

    def question(self, context: Context) -> Question:
        """Look at each project, so that the page tells what it holds when it is read."""
        from quantconnect_provider.live.approval.rules import wind_down_approval_needed
        from quantconnect_provider.live.approval.wind_down_preview import preview_wind_down

        params = context["params"]
        chosen = context["ti"].xcom_pull(task_ids="choose", key="targets")
        needed = bool(chosen) and wind_down_approval_needed(params["approval"], params["action"])
        with connect() as client:
            planned = preview_wind_down(client, [target["project_id"] for target in chosen], params["action"])
        is_paper = all(target.brokerage in _PAPER for target in planned.targets if target.runs)
        because = f"approval is {params['approval']!r} and the action is {params['action']!r}"
        return Question(needed, because, planned.subject, planned.describe(), is_paper)


def sum_up(
    targets: Sequence[Mapping[str, Any]] | None,
    approval: Mapping[str, Any] | None,
    results: Sequence[Mapping[str, Any]],
) -> None:
    """Log a table of how each project ended.

    :param approval: what the gate returned; None if the run did not get through it.
    :raises AirflowSkipException: when the wind-down was rejected.
    :raises AirflowFailException: naming the projects whose wind-down failed.
    """
    if targets is None or approval is None:
        raise AirflowFailException("Nothing was sent: the run ended before, see choose and approve.")
    if approval["asked"] and not approval["approved"]:
        raise AirflowSkipException(f"Rejected by {approval['approved_by']}: nothing was sent.")
    done = {result["project_id"]: result for result in results}
    rows = [_row(target, done.get(target["project_id"])) for target in targets]
    log_table(log, ("project", "name", "deployment", "status", "holdings left"), rows)
    failed = [str(target["project_id"]) for target in targets if target["project_id"] not in done]
    log.info("%d of %d projects are wound down", len(rows) - len(failed), len(rows))
    if failed:
        raise AirflowFailException(
            f"Not wound down: {', '.join(failed)}. The reason is in the log of each project's task."
        )


def _row(target: Mapping[str, Any], result: Mapping[str, Any] | None) -> tuple[str, ...]:
    name = str(target["name"])
    if result is None:
        return str(target["project_id"]), name, "", "FAILED", ""
    left = result.get("holdings_left")
    holdings = (
        "" if left is None else ", ".join(f"{one['quantity']} {one['symbol']}" for one in left) or "none"
    )
    before = " (before)" if result.get("already_over") else ""
    return str(target["project_id"]), name, result["deploy_id"], result["status"] + before, holdings


def _asked(params: Mapping[str, Any]) -> list[int] | None:
    """Return the projects that the run names; None for all that run."""
    from quantconnect_provider.client.errors import InvalidSettingError

    named = params.get("project_ids")
    if not params.get("all_running"):
        return project_ids_of([] if named is None else named)
    if named:
        raise InvalidSettingError(
            "project_ids names projects, and all_running is true.",
            advice="Give one of them: certain projects, or all that run.",
        )
    return None
