"""Which series have to be computed: those with insights that changed since the last time.

Two things show them: insights that were read later than any that the scorecards hold, and harvests with
commits that the scorecards do not hold, because a slow harvest stores rows that it read long before. Each
harvest counts its commits in the transaction that stores the rows, so no row is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from quantconnect_provider.scorecard.staged_insights import series
from quantconnect_provider.store.schema import SOURCE_MODEL, TICKER, harvests, insights
from quantconnect_provider.store.scorecard_tables import scorecard_progress, scorecards

_CLOCK_SET_BACK = timedelta(minutes=5)
"""By how much a worker's clock may be set back while it harvests."""


@dataclass(frozen=True)
class Progress:
    """How far the scorecards of a project are.

    :param observed_up_to: when the latest insight that they hold was read; None while they hold none.
    :param revision: how often they were computed.
    """

    observed_up_to: datetime | None = None
    revision: int = 0


@dataclass
class Changes:
    """What is stored, and what of it the scorecards do not hold; all by project but the harvests.

    :param totals: number of insights.
    :param latest: when the latest of them was read.
    :param progress: how far the scorecards are.
    :param commits: by id of each harvest that the scorecards do not hold in full, how often it has committed.
    :param wanted: projects to compute, with the time since when insights count as changed; None for all.
    """

    totals: dict[int, int] = field(default_factory=dict)
    latest: dict[int, datetime] = field(default_factory=dict)
    progress: dict[int, Progress] = field(default_factory=dict)
    commits: dict[str, int] = field(default_factory=dict)
    wanted: dict[int, datetime | None] = field(default_factory=dict)


def read_progress(connection: Connection, project_ids: Sequence[int] | None) -> dict[int, Progress]:
    """Return how far the scorecards of each project are; one without scorecards is missing."""
    done = scorecard_progress.c
    query = select(done.project_id, done.observed_up_to, done.revision)
    found = connection.execute(_of_projects(query, done.project_id, project_ids))
    return {project_id: Progress(*rest) for project_id, *rest in found}


def find_changes(connection: Connection, project_ids: Sequence[int] | None, *, full: bool) -> Changes:
    """Return what has to be computed, of these projects or of all."""
    changes = Changes(progress=read_progress(connection, project_ids))
    kept = insights.c
    query = select(kept.project_id, func.count(), func.max(kept.observed_at)).group_by(kept.project_id)
    for project_id, count, latest in connection.execute(_of_projects(query, kept.project_id, project_ids)):
        changes.totals[project_id], changes.latest[project_id] = count, latest
    started = _read_new_commits(connection, changes, project_ids)
    for project_id, latest in changes.latest.items():
        since = changes.progress.get(project_id, Progress()).observed_up_to
        if since is not None and project_id in started:
            since = min(since, started[project_id] - _CLOCK_SET_BACK)
        if full or since is None:
            changes.wanted[project_id] = None
        elif latest > since:
            changes.wanted[project_id] = since
    for project_id, progress in changes.progress.items():
        if project_id not in changes.totals and progress.observed_up_to is not None:
            changes.wanted[project_id] = None
    return changes


def _read_new_commits(
    connection: Connection, changes: Changes, project_ids: Sequence[int] | None
) -> dict[int, datetime]:
    """Add the harvests that the scorecards do not hold in full; returns when the first of a project began."""
    known = harvests.c
    query = select(known.harvest_id, known.project_id, known.started_at, known.commits).where(
        known.commits != known.commits_in_scorecards, known.read > literal_column("0")
    )
    started: dict[int, datetime] = {}
    for harvest_id, project_id, began, commits in connection.execute(
        _of_projects(query, known.project_id, project_ids)
    ):
        changes.commits[harvest_id] = commits
        started[project_id] = min(began, started.get(project_id, began))
    return started


def _of_projects(query: Any, column: Any, project_ids: Sequence[int] | None) -> Any:
    return query if project_ids is None else query.where(column.in_(project_ids))


def fill_series(connection: Connection, wanted: dict[int, datetime | None]) -> None:
    """Put the series to compute into the temporary table `series`, in place of what is there."""
    connection.execute(series.delete())
    postgres = connection.dialect.name == "postgresql"
    statement: Any = postgresql.insert(series) if postgres else sqlite.insert(series)
    kept = insights.c
    all_of_project = select(kept.project_id, SOURCE_MODEL, TICKER).where(
        kept.project_id == bindparam("project")
    )
    # Not DISTINCT: with it SQLite reads all insights of the project in order instead of the changed ones.
    changed = all_of_project.where(kept.observed_at > bindparam("since"))
    whole = [{"project": project_id} for project_id, since in wanted.items() if since is None]
    parts = [
        {"project": project_id, "since": since} for project_id, since in wanted.items() if since is not None
    ]
    for query, projects in ((all_of_project.distinct(), whole), (changed, parts)):
        if projects:
            insertion = statement.from_select(["project_id", "source_model", "ticker"], query)
            connection.execute(insertion.on_conflict_do_nothing(), projects)


def count_kept(connection: Connection, project_ids: Sequence[int] | None) -> dict[int, int]:
    """Return, by project, how many insights the scorecards hold of series that are not computed now."""
    card = scorecards.c
    computed = select(series.c.series_id).where(
        series.c.project_id == card.project_id,
        series.c.source_model == card.source_model,
        series.c.ticker == card.ticker,
    )
    query = select(card.project_id, func.sum(card.insights)).where(~computed.exists())
    query = _of_projects(query, card.project_id, project_ids).group_by(card.project_id)
    return {project_id: int(count) for project_id, count in connection.execute(query)}
