"""The page's JSON routes: parameters checked, the store read, nothing changed."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query

from quantconnect_provider.ui.queries import deployments, history, insights
from quantconnect_provider.ui.security import HARVEST_DAG, READ_HARVEST, READ_XCOM, MayReadWatch
from quantconnect_provider.ui.store_access import reading
from quantconnect_provider.ui.task_deployments import named_by_task

router = APIRouter()

# PostgreSQL takes no NUL in a text, and SQLite would stop reading there.
_TEXT = r"^[^\x00]*$"
_LARGEST = 2**63 - 1

Search = Annotated[str, Query(max_length=100, pattern=_TEXT)]
Name = Annotated[str, Query(max_length=500, pattern=_TEXT)]
DeployId = Annotated[str, Query(min_length=1, max_length=200, pattern=_TEXT)]
ProjectId = Annotated[int, Query(ge=1, le=_LARGEST)]
Limit = Annotated[int, Query(ge=1, le=200)]
Offset = Annotated[int, Query(ge=0, le=insights.WINDOW)]
Before = Annotated[int, Query(ge=0, le=_LARGEST)] | Literal["unlisted"] | None


def _now() -> datetime:
    return datetime.now(timezone.utc)


@router.get("/summary", dependencies=[READ_HARVEST])
def summary(with_watch: MayReadWatch) -> deployments.Summary:
    """Return the numbers of the panel on the home page."""
    with reading() as connection:
        if connection is None:
            return deployments.Summary(0, 0, None, 0 if with_watch else None)
        return deployments.summary(connection, with_watch)


@router.get("/deployments", dependencies=[READ_HARVEST])
def list_deployments(
    *,
    with_watch: MayReadWatch,
    show: deployments.Show = "current",
    search: Search = "",
    sort: deployments.SortKey = "urgency",
    descending: bool = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> deployments.DeploymentPage:
    """Return one page of the table of deployments."""
    with reading() as connection:
        if connection is None:
            return deployments.DeploymentPage([], 0)
        return deployments.list_deployments(
            connection,
            _now(),
            with_watch=with_watch,
            show=show,
            search=search.strip(),
            sort=sort,
            descending=descending,
            limit=limit,
            offset=offset,
        )


@router.get("/deployment", dependencies=[READ_HARVEST])
def deployment(with_watch: MayReadWatch, deploy_id: DeployId) -> deployments.DeploymentRow:
    """Return one deployment."""
    with reading() as connection:
        found = connection and deployments.find_deployment(connection, deploy_id, _now(), with_watch)
    if not found:
        raise HTTPException(404, "The store does not know this deployment.")
    return found


@router.get("/equity", dependencies=[READ_HARVEST])
def equity(with_watch: MayReadWatch, deploy_id: DeployId) -> history.EquityCurve:
    """Return a deployment's equity and drawdown."""
    _require(with_watch)
    with reading() as connection:
        if connection is None:
            return history.EquityCurve([], [], [], complete=True)
        return history.equity_curve(connection, deploy_id)


@router.get("/events", dependencies=[READ_HARVEST])
def events(with_watch: MayReadWatch, deploy_id: DeployId) -> list[dict[str, Any]]:
    """Return a deployment's events."""
    _require(with_watch)
    with reading() as connection:
        return [] if connection is None else history.list_events(connection, deploy_id)


@router.get("/harvests", dependencies=[READ_HARVEST])
def harvests(project_id: ProjectId, deploy_id: DeployId) -> list[dict[str, Any]]:
    """Return a deployment's harvests."""
    with reading() as connection:
        return [] if connection is None else history.list_harvests(connection, project_id, deploy_id)


@router.get("/scores", dependencies=[READ_HARVEST])
def scores(project_id: ProjectId) -> history.Scores:
    """Return how good a project's predictions were."""
    with reading() as connection:
        return history.Scores([], [], None) if connection is None else history.scores(connection, project_id)


@router.get("/insights", dependencies=[READ_HARVEST])
def list_insights(
    *,
    deploy_id: DeployId,
    before: Before = None,
    search: Search = "",
    direction: Name = "",
    model: Name = "",
    state: insights.State = "any",
    sort: insights.SortKey = "generated_at",
    descending: bool = True,
    limit: Limit = 50,
    offset: Offset = 0,
) -> insights.InsightPage:
    """Return one page of a window of a deployment's insights."""
    with reading() as connection:
        if connection is None:
            return insights.InsightPage([], 0, 0, None, None, None)
        return insights.list_insights(
            connection,
            deploy_id,
            insights.find_window(connection, deploy_id, before),
            insights.Filters(search.strip(), direction, model, state),
            _now(),
            sort=sort,
            descending=descending,
            limit=limit,
            offset=offset,
        )


@router.get("/timeline", dependencies=[READ_HARVEST])
def timeline(deploy_id: DeployId) -> list[tuple[str, str, int]]:
    """Return how many of a deployment's newest insights said what, by time."""
    with reading() as connection:
        if connection is None:
            return []
        newest = insights.find_window(connection, deploy_id, None)
        return insights.count_by_time(connection, deploy_id, newest)


@router.get("/task", dependencies=[READ_HARVEST, READ_XCOM])
def task(
    with_watch: MayReadWatch, dag_id: Name, run_id: Name, task_id: Name, map_index: str = "-1"
) -> list[deployments.DeploymentRow]:
    """Return the deployments that a task instance is about.

    :param map_index: Airflow leaves its placeholder in place where a task is not mapped; that counts as -1.
    """
    index = int(map_index) if map_index.isdecimal() else -1
    named = named_by_task(dag_id, run_id, task_id, index)
    with reading() as connection:
        if connection is None:
            return []
        deploy_ids = named.deploy_ids or deployments.newest_of_projects(connection, named.project_ids)
        if not deploy_ids and dag_id == HARVEST_DAG:
            deploy_ids = history.deployments_of_run(connection, run_id)
        return deployments.find_deployments(connection, deploy_ids, _now(), with_watch)


def _require(allowed: bool) -> None:
    if not allowed:
        raise HTTPException(403, "Forbidden")
