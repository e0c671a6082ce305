"""What happened to one deployment: equity, harvests, events, and how good its predictions were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import Connection, case, func, select

from quantconnect_provider.store.schema import harvests
from quantconnect_provider.store.scorecard_tables import scorecards
from quantconnect_provider.store.watch_tables import equity, events

EQUITY_POINTS = 5000
"""The newest observations that a chart shows: five weeks at the watch's ten minutes."""
_ROWS = 100


@dataclass(frozen=True)
class EquityCurve:
    """Columns of a chart, oldest first.

    :param times: seconds since 1970.
    :param equity: in the account's currency.
    :param drawdown: loss since the highest equity before, as a fraction at most 0.
    :param complete: whether these are all observations; otherwise the newest, and the drawdown is among them.
    """

    times: list[float]
    equity: list[float]
    drawdown: list[float]
    complete: bool


@dataclass(frozen=True)
class Score:
    """How good the predictions of one model or about one ticker were.

    :param hit_rate: None while nothing is scored.
    :param mean_signed_return: a fraction; None while no insight has a return.
    """

    name: str
    insights: int
    open: int
    scored: int
    hit_rate: float | None
    mean_signed_return: float | None


@dataclass(frozen=True)
class Scores:
    """The scores of a project; empty until a scorecard is computed."""

    by_model: list[Score]
    by_ticker: list[Score]
    computed_at: datetime | None


def equity_curve(connection: Connection, deploy_id: str) -> EquityCurve:
    """Return the newest :data:`EQUITY_POINTS` observations of a deployment's equity."""
    query = (
        select(equity.c.observed_at, equity.c.equity)
        .where(equity.c.deploy_id == deploy_id, equity.c.equity.is_not(None))
        .order_by(equity.c.observed_at.desc())
        .limit(EQUITY_POINTS + 1)
    )
    found = connection.execute(query).all()
    kept = found[:EQUITY_POINTS][::-1]
    values = [row.equity for row in kept]
    return EquityCurve(
        [row.observed_at.replace(tzinfo=row.observed_at.tzinfo or timezone.utc).timestamp() for row in kept],
        values,
        drawdown_of(values),
        complete=len(found) <= EQUITY_POINTS,
    )


def drawdown_of(values: list[float]) -> list[float]:
    """Return how far each value is below the highest so far, as a fraction: -0.1 is 10 % down.

    It is 0 at the top, and where no value was above zero so far.
    """
    top, found = 0.0, []
    for value in values:
        top = max(top, value)
        found.append(value / top - 1 if top > 0 else 0.0)
    return found


def list_harvests(connection: Connection, project_id: int, deploy_id: str) -> list[dict[str, Any]]:
    """Return the newest harvests of a deployment."""
    wanted = (
        "started_at",
        "finished_at",
        "requests",
        "read",
        "inserted",
        "updated",
        "status",
        "error",
        "run_id",
    )
    query = (
        select(*(harvests.c[name] for name in wanted))
        # The project is what the table has an index on.
        .where(harvests.c.project_id == project_id, harvests.c.deploy_id == deploy_id)
        .order_by(harvests.c.started_at.desc())
        .limit(_ROWS)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def deployments_of_run(connection: Connection, run_id: str) -> list[str]:
    """Return the deployments that a DAG run harvested."""
    query = select(harvests.c.deploy_id).where(harvests.c.run_id == run_id).distinct().limit(_ROWS)
    return list(connection.scalars(query))


def list_events(connection: Connection, deploy_id: str) -> list[dict[str, Any]]:
    """Return a deployment's events: the open ones, then the newest."""
    wanted = (
        "event_id", "kind", "severity", "message", "opened_at", "resolved_at", "action", "acted_at",
        "action_run_id",
    )  # fmt: skip
    query = (
        select(*(events.c[name] for name in wanted))
        .where(events.c.deploy_id == deploy_id)
        .order_by(case((events.c.resolved_at.is_(None), 0), else_=1), events.c.opened_at.desc())
        .limit(_ROWS)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def scores(connection: Connection, project_id: int) -> Scores:
    """Return the scorecard of a project by source model and by ticker, those with most insights first."""
    computed_at = connection.scalar(
        select(func.max(scorecards.c.computed_at)).where(scorecards.c.project_id == project_id)
    )
    return Scores(
        _scores_by(connection, project_id, "source_model"),
        _scores_by(connection, project_id, "ticker"),
        computed_at,
    )


def _scores_by(connection: Connection, project_id: int, name: str) -> list[Score]:
    table = scorecards.c
    total = func.sum(table.insights)
    scored = func.sum(table.scored)
    query = (
        select(
            table[name],
            total,
            func.sum(table.open),
            scored,
            func.sum(table.hits),
            func.sum(table.mean_signed_return * table.returns),
            func.sum(table.returns),
        )
        .where(table.project_id == project_id)
        .group_by(table[name])
        .order_by(total.desc(), table[name])
        .limit(_ROWS)
    )
    return [
        Score(
            row[0],
            int(row[1]),
            int(row[2]),
            int(row[3]),
            int(row[4]) / int(row[3]) if row[3] else None,
            row[5] / int(row[6]) if row[6] else None,
        )
        for row in connection.execute(query)
    ]
