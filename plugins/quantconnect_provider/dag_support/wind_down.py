"""What the DAG `quantconnect_wind_down` does around stopping and liquidating: choose, ask, sum up."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from quantconnect_provider.client.errors import (
    InvalidSettingError,
    NeverDeployedError,
    NotFoundError,
    QuantConnectError,
)
from quantconnect_provider.client.live_request import PAPER_BROKERAGES
from quantconnect_provider.dag_support.approval_gate import ApprovalGate, Question
from quantconnect_provider.dag_support.projects import connect, describe_account, project_names
from quantconnect_provider.dag_support.wind_down_form import (
    ALL_RUNNING,
    DEPLOYMENT,
    PROJECTS,
    wind_down_params,
)
from quantconnect_provider.live.approval.rules import wind_down_approval_needed
from quantconnect_provider.live.approval.wind_down_preview import preview_wind_down
from quantconnect_provider.live.wind_down.holdings import describe_left
from quantconnect_provider.live.wind_down.steps import ACTIONS, Action
from quantconnect_provider.plain_text import counted, log_table
from quantconnect_provider.tasks.failures import TaskFailed, plain_errors
from quantconnect_provider.tasks.inputs import check_names, flag_of, one_of, project_ids_of, text_or_none

if TYPE_CHECKING:
    from airflow.sdk import Context

    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)


def choose(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the projects to wind down: id and name of each.

    :raises QuantConnectTaskFailed: naming the field of the form that cannot be right.
    """
    with plain_errors():
        check_names(params, wind_down_params())
        action = one_of(params["action"], ACTIONS, "action")
        wind_down_approval_needed(params["approval"], action)
        ids = _named(params)
        if text_or_none(params.get("deploy_id")) and len(ids or ()) != 1:
            raise InvalidSettingError(
                f"{DEPLOYMENT} (deploy_id) is given.", advice=f"Then name its project alone under {PROJECTS}."
            )
        with connect() as client:
            names = project_names(client)
            ids = _running(client) if ids is None else _check_deployed(client, ids, names)
    targets = [{"project_id": each, "name": names.get(each) or str(each)} for each in ids]
    log.info("%s to %s.", counted(len(targets), "project"), action)
    log_table(log, ("project", "name"), [tuple(target.values()) for target in targets])
    return targets


class WindDownApproval(ApprovalGate):
    """Asks before a wind-down, as the param ``approval`` says: ``auto`` asks before liquidating."""

    def question(self, context: Context) -> Question:
        """Read each project again, so that the page shows what it holds now."""
        params = context["params"]
        chosen = context["ti"].xcom_pull(task_ids="choose", key="targets")
        needed = bool(chosen) and wind_down_approval_needed(params["approval"], params["action"])
        ids = [target["project_id"] for target in chosen]
        with connect() as client:
            preview = preview_wind_down(client, ids, params["action"], account=describe_account())
        is_paper = all(target.brokerage in PAPER_BROKERAGES for target in preview.targets if target.may_run)
        because = f"approval is {params['approval']!r} and the action is {params['action']!r}"
        return Question(
            needed, because, preview.subject, preview.describe(), is_paper, log_lines=preview.log_lines()
        )


def sum_up(
    targets: Sequence[Mapping[str, Any]] | None,
    approval: Mapping[str, Any] | None,
    results: Sequence[Mapping[str, Any]],
    errors: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Log a table of how each project ended, and why those failed that did.

    :param approval: what the gate returned; None if the run did not get through it.
    :param errors: project id and error of each project's task that failed.
    :raises AirflowSkipException: when the wind-down was rejected.
    :raises TaskFailed: naming the projects whose wind-down failed.
    """
    if targets is None or approval is None:
        raise TaskFailed("Nothing was sent: choose or approve failed, see their logs.")
    if approval["asked"] and not approval["approved"]:
        raise AirflowSkipException(f"Rejected by {approval['approved_by']}: nothing was sent.")
    if not targets:
        log.info("No live deployment runs: nothing was sent.")
        return
    done = {result["project_id"]: result for result in results}
    liquidated = any(result["action"] == Action.LIQUIDATE.value for result in results)
    rows = [_row(target, done.get(target["project_id"])) for target in targets]
    heads = ("project", "name", "deployment", "status", "holdings left")
    log_table(log, heads if liquidated else heads[:-1], [row if liquidated else row[:-1] for row in rows])
    are = "is" if len(targets) == 1 else "are"
    log.info("%d of %s %s wound down.", len(done), counted(len(targets), "project"), are)
    why = {str(error["project_id"]): error["error"] for error in errors}
    failed = [str(target["project_id"]) for target in targets if target["project_id"] not in done]
    if failed:
        unknown = "its task ended without a result, see its log"
        causes = [f"{each} ({why.get(each, unknown).rstrip('.')})" for each in failed]
        raise TaskFailed(f"Not wound down: {'; '.join(causes)}.")


def _row(target: Mapping[str, Any], result: Mapping[str, Any] | None) -> tuple[str, ...]:
    project, name = str(target["project_id"]), str(target["name"])
    if result is None:
        return project, name, "", "FAILED", ""
    left = result.get("holdings_left")
    held = None if left is None else [f"{one['quantity']} {one['symbol']}" for one in left]
    already = " (already over)" if result.get("already_over") else ""
    return project, name, result["deploy_id"], result["status"] + already, describe_left(held)


def _named(params: Mapping[str, Any]) -> list[int] | None:
    """Return the projects that the form names; None for all that run."""
    named = [entry for entry in params.get("project_ids") or [] if str(entry).strip()]
    if flag_of(params.get("all_running"), "all_running"):
        if named:
            raise InvalidSettingError(
                f"{PROJECTS} (project_ids) names projects, and {ALL_RUNNING} (all_running) is on.",
                advice="Give one of them: certain projects, or all that run.",
            )
        return None
    if not named:
        raise InvalidSettingError(
            f"{PROJECTS}: project_ids is empty, and {ALL_RUNNING} is off.",
            advice=f"Name at least one project under {PROJECTS}, one id a line, or switch {ALL_RUNNING} on.",
        )
    try:
        return project_ids_of(named)
    except InvalidSettingError as error:
        raise InvalidSettingError(f"{PROJECTS}: {error.args[0]}", advice=error.advice) from None


def _running(client: QuantConnectClient) -> list[int]:
    listing = client.list_live()
    for unread in listing.unread:
        if unread.may_trade and unread.project_id is None:
            log.warning(
                "A row of live/list may be a deployment that runs, and names no project: %s", unread.row
            )
    return listing.projects_that_may_trade()


def _check_deployed(client: QuantConnectClient, ids: Sequence[int], names: Mapping[int, str]) -> list[int]:
    """Return *ids*; refuse those for which a stop is bound to fail.

    live/list may be unreadable, or leave out a row that is: only live/read can prove that a project was
    never deployed, so that nothing keeps a deployment that runs from being stopped.
    """
    try:
        listed = {row.project_id for row in client.list_live()}
    except QuantConnectError as error:
        if not error.retryable:
            raise
        log.warning("The deployments could not be listed, each project is read instead: %s", error)
        listed = set()
    wrong = [_why_not(client, each, names) for each in ids if each not in listed]
    found = [problem for problem in wrong if problem]
    if found:
        raise InvalidSettingError(f"{PROJECTS}: {'; '.join(found)}.", advice=f"Take it off {PROJECTS}.")
    return list(ids)


def _why_not(client: QuantConnectClient, project_id: int, names: Mapping[int, str]) -> str:
    try:
        client.read_live(project_id)
    except NeverDeployedError:
        name = f" ({names[project_id]})" if names.get(project_id) else ""
        return f"project {project_id}{name} never had a live deployment"
    except NotFoundError:
        return f"there is no project {project_id} in this account"
    except QuantConnectError as error:
        log.warning("Project %s could not be checked: %s", project_id, error)
    return ""
