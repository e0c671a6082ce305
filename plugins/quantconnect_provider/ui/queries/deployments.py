"""Deployments: the table of the page, one of them, and the numbers of the panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, exists, func, or_, select
from sqlalchemy.engine import Row

from quantconnect_provider.client.status import phase_of
from quantconnect_provider.store.schema import EXPIRING, UNEXPIRING, deployments, insights
from quantconnect_provider.store.scorecard_tables import scorecards
from quantconnect_provider.store.watch_tables import equity, events
from quantconnect_provider.ui.queries.phases import IS_BROKEN, IS_RUNNING, URGENCY

Show = Literal["current", "running", "broken", "all"]
SortKey = Literal["urgency", "project", "brokerage", "status", "launched", "harvested"]

_SORTS: dict[str, list[ColumnElement[Any]]] = {
    "urgency": [URGENCY, deployments.c.launched_at],
    "project": [deployments.c.project_name, deployments.c.project_id],
    "brokerage": [deployments.c.brokerage],
    "status": [deployments.c.status],
    "launched": [deployments.c.launched_at],
    "harvested": [deployments.c.complete_at],
}
OPEN_COUNTED_TO = 1000
"""Open insights are counted up to here; what is more is this number and "at least"."""
_SPARKLINE_POINTS = 144  # a day, at the watch's ten minutes


@dataclass(frozen=True)
class DeploymentRow:
    """A deployment as the page shows it; None where the store does not know.

    :param phase: a value of ``client.status.Phase``.
    :param seen_at: when QuantConnect last said what is shown.
    :param harvested_at: when the last harvest that read to the end began.
    :param equity: newest observation, in the account's currency.
    :param open_insights: at most :data:`OPEN_COUNTED_TO`.
    :param hit_rate: share of the scored insights of the project whose direction was right.
    """

    deploy_id: str
    project_id: int
    project_name: str | None
    brokerage: str | None
    status: str | None
    phase: str
    launched_at: datetime | None
    stopped_at: datetime | None
    seen_at: datetime
    harvested_at: datetime | None
    open_insights: int
    hit_rate: float | None
    equity: float | None = None
    sparkline: list[float] = field(default_factory=list)
    open_events: int | None = None


@dataclass(frozen=True)
class DeploymentPage:
    """One page of the table and how many deployments there are in all."""

    rows: list[DeploymentRow]
    total: int


@dataclass(frozen=True)
class Summary:
    """The panel's numbers; ``open_events`` is None for those who may not see events."""

    running: int
    broken: int
    harvested_at: datetime | None
    open_events: int | None


def is_current() -> ColumnElement[bool]:
    """Whether a deployment is the newest of its project."""
    newer = deployments.alias("newer")
    known = deployments.c
    later = or_(
        newer.c.launched_at > known.launched_at,
        and_(newer.c.launched_at == known.launched_at, newer.c.deploy_id > known.deploy_id),
        and_(known.launched_at.is_(None), newer.c.launched_at.is_not(None)),
    )
    return ~exists().where(newer.c.project_id == known.project_id, later).correlate(deployments)


def summary(connection: Connection, with_watch: bool) -> Summary:
    """Count what runs and what is broken, of the newest deployment of each project."""
    running, broken, harvested_at = connection.execute(
        select(
            func.count().filter(IS_RUNNING),
            func.count().filter(IS_BROKEN),
            func.max(deployments.c.complete_at),
        ).where(is_current())
    ).one()
    open_events = None
    if with_watch:
        open_events = connection.scalar(
            select(func.count()).select_from(events).where(events.c.resolved_at.is_(None))
        )
    return Summary(running, broken, harvested_at, open_events)


def list_deployments(
    connection: Connection,
    now: datetime,
    *,
    with_watch: bool,
    show: Show,
    search: str,
    sort: SortKey,
    descending: bool,
    limit: int,
    offset: int,
) -> DeploymentPage:
    """Return one page of the deployments that *show* and *search* leave.

    :param search: part of a project's name or id, a deployment's id or a brokerage; empty for all.
    """
    conditions = [*_shown(show), *_matching(search)]
    total = connection.scalar(select(func.count()).select_from(deployments).where(*conditions)) or 0
    order = [column.desc() if descending else column.asc() for column in _SORTS[sort]]
    query = (
        select(deployments)
        .where(*conditions)
        .order_by(*order, deployments.c.deploy_id)
        .limit(limit)
        .offset(offset)
    )
    return DeploymentPage(_complete(connection, connection.execute(query).all(), now, with_watch), total)


def find_deployment(
    connection: Connection, deploy_id: str, now: datetime, with_watch: bool
) -> DeploymentRow | None:
    """Return one deployment; None if the store does not know it."""
    found = connection.execute(select(deployments).where(deployments.c.deploy_id == deploy_id)).all()
    rows = _complete(connection, found, now, with_watch)
    return rows[0] if rows else None


def find_deployments(
    connection: Connection, deploy_ids: Sequence[str], now: datetime, with_watch: bool
) -> list[DeploymentRow]:
    """Return these deployments, as far as the store knows them."""
    query = (
        select(deployments).where(deployments.c.deploy_id.in_(deploy_ids)).order_by(deployments.c.project_id)
    )
    return _complete(connection, connection.execute(query).all(), now, with_watch)


def newest_of_projects(connection: Connection, project_ids: Sequence[int]) -> list[str]:
    """Return the id of the newest deployment of each of these projects."""
    query = select(deployments.c.deploy_id).where(deployments.c.project_id.in_(project_ids), is_current())
    return list(connection.scalars(query))


def _shown(show: Show) -> list[ColumnElement[bool]]:
    return {
        "current": [is_current()],
        "running": [IS_RUNNING],
        "broken": [IS_BROKEN, is_current()],
        "all": [],
    }[show]


def _matching(search: str) -> list[ColumnElement[bool]]:
    if not search:
        return []
    known = deployments.c
    texts = (known.project_name, known.deploy_id, known.brokerage, cast(known.project_id, Text))
    return [or_(*(column.icontains(search, autoescape=True) for column in texts))]


def _complete(
    connection: Connection, found: Sequence[Row[Any]], now: datetime, with_watch: bool
) -> list[DeploymentRow]:
    """Add to rows of the deployments' table what the other tables know of them."""
    if not found:
        return []
    hit_rates = _hit_rates(connection, {row.project_id for row in found})
    open_events = _open_events(connection, [row.deploy_id for row in found]) if with_watch else {}
    rows = []
    for row in found:
        values = _newest_equity(connection, row.deploy_id) if with_watch else []
        watched_at = _equity_seen_at(connection, row.deploy_id) if with_watch else None
        rows.append(
            DeploymentRow(
                deploy_id=row.deploy_id,
                project_id=row.project_id,
                project_name=row.project_name,
                brokerage=row.brokerage,
                status=row.status,
                phase=phase_of(row.status or "", row.stopped_at).value,
                launched_at=row.launched_at,
                stopped_at=row.stopped_at,
                seen_at=max(row.observed_at, watched_at or row.observed_at),
                harvested_at=row.complete_at,
                open_insights=_open_insights(connection, row.deploy_id, now),
                hit_rate=hit_rates.get(row.project_id),
                equity=values[0] if values else None,
                sparkline=values[::-1],
                open_events=open_events.get(row.deploy_id, 0) if with_watch else None,
            )
        )
    return rows


def _newest_equity(connection: Connection, deploy_id: str) -> list[float]:
    # Without their times: to read fifty lines' worth of those takes longer than all the rest.
    query = (
        select(equity.c.equity)
        .where(equity.c.deploy_id == deploy_id)
        .order_by(equity.c.observed_at.desc())
        .limit(_SPARKLINE_POINTS)
    )
    return [value for value in connection.scalars(query) if value is not None]


def _equity_seen_at(connection: Connection, deploy_id: str) -> datetime | None:
    query = select(func.max(equity.c.observed_at)).where(equity.c.deploy_id == deploy_id)
    found: datetime | None = connection.scalar(query)
    return found


def _open_insights(connection: Connection, deploy_id: str, now: datetime) -> int:
    """Count, up to a limit, the insights of a deployment that are not closed yet."""
    table = insights.c
    left = OPEN_COUNTED_TO
    for condition in (and_(EXPIRING, table.closes_at > now), UNEXPIRING):
        some = select(1).where(table.deploy_id == deploy_id, condition).limit(left).subquery()
        left -= connection.scalar(select(func.count()).select_from(some)) or 0
        if left <= 0:
            break
    return OPEN_COUNTED_TO - left


def _hit_rates(connection: Connection, project_ids: set[int]) -> dict[int, float]:
    scored = func.sum(scorecards.c.scored)
    query = (
        select(scorecards.c.project_id, func.sum(scorecards.c.hits), scored)
        .where(scorecards.c.project_id.in_(project_ids))
        .group_by(scorecards.c.project_id)
        .having(scored > 0)
    )
    return {project_id: hits / count for project_id, hits, count in connection.execute(query)}


def _open_events(connection: Connection, deploy_ids: Sequence[str]) -> dict[str, int]:
    query = (
        select(events.c.deploy_id, func.count())
        .where(events.c.resolved_at.is_(None), events.c.deploy_id.in_(deploy_ids))
        .group_by(events.c.deploy_id)
    )
    return {row.deploy_id: row[1] for row in connection.execute(query)}
