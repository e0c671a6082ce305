"""Brings the scorecards up to date with the insights in the store."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.scorecard import changes as changed
from quantconnect_provider.scorecard import staged_insights as staged
from quantconnect_provider.scorecard.changes import Changes, Progress
from quantconnect_provider.store.schema import deployments, harvests
from quantconnect_provider.store.scorecard_tables import scorecard_progress, scorecards

if TYPE_CHECKING:
    from quantconnect_provider.store.store import Store

log = logging.getLogger(__name__)

_ATTEMPTS = 5
_LOCK = 0x5143_5343  # any number that no other application is likely to lock
_Key = tuple[int, str, str]  # project, model, ticker


@dataclass
class ScorecardReport:
    """What was computed.

    :param projects: number of projects with insights in the store, of those asked for.
    :param changed_projects: number of projects with changed insights.
    :param series: number of pairs of model and ticker that were computed, each in all its horizons.
    :param insights: number of insights in the new scorecards.
    :param cards: the new scorecards, as rows of ``quantconnect_scorecards``.
    :param seconds: how long it took.
    """

    projects: int = 0
    changed_projects: int = 0
    series: int = 0
    insights: int = 0
    cards: list[dict[str, Any]] = field(default_factory=list, repr=False)
    seconds: float = 0.0

    def counts(self) -> dict[str, int]:
        """Return the totals as plain numbers."""
        return {
            "projects": self.projects,
            "changed_projects": self.changed_projects,
            "series": self.series,
            "insights": self.insights,
            "scorecards": len(self.cards),
        }


@dataclass
class _Computed:
    changes: Changes
    keys: list[_Key] = field(default_factory=list)
    cards: list[dict[str, Any]] = field(default_factory=list)


def compute_scorecards(
    store: Store,
    project_ids: Sequence[int] | None = None,
    *,
    full: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> ScorecardReport:
    """Compute the scorecards of all series with changed insights, and store them in one transaction.

    Harvests go on meanwhile. If another computation stores its scorecards first, this one starts again.

    :param project_ids: only these projects; None is all.
    :param full: compute everything again.
    :raises InvalidSettingError: if the store has no deployment of one of the projects.
    :raises RuntimeError: if other computations stored theirs first five times in a row.
    """
    began = time.monotonic()
    for _ in range(_ATTEMPTS):
        with _snapshot(store) as connection:
            _check_known(connection, project_ids)
            computed = _compute(connection, project_ids, full=full, computed_at=clock())
        if store.write(partial(_save, done=computed, project_ids=project_ids)):
            return ScorecardReport(
                projects=len(computed.changes.totals),
                changed_projects=len(computed.changes.wanted),
                series=len(computed.keys),
                insights=sum(card["insights"] for card in computed.cards),
                cards=computed.cards,
                seconds=time.monotonic() - began,
            )
        log.info("Another run has stored scorecards in the meantime; computing again.")
    raise RuntimeError(
        f"Other runs stored scorecards first, {_ATTEMPTS} times in a row. Run one computation at a time."
    )


@contextmanager
def _snapshot(store: Store) -> Iterator[Connection]:
    """Give a connection with the temporary tables that sees the store as it is now until the end."""
    with store.read() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a first computation may take long
        staged.create_tables(connection)
        yield connection


def _check_known(connection: Connection, project_ids: Sequence[int] | None) -> None:
    if project_ids is None:
        return
    column = deployments.c.project_id
    known = set(connection.scalars(select(column).where(column.in_(project_ids)).distinct()))
    unknown = sorted(set(project_ids) - known)
    if unknown:
        raise InvalidSettingError(
            f"The store has no deployment of project {', '.join(map(str, unknown))}.",
            advice="Check the number, and harvest the project first.",
        )


def _compute(
    connection: Connection, project_ids: Sequence[int] | None, *, full: bool, computed_at: datetime
) -> _Computed:
    done = _Computed(changed.find_changes(connection, project_ids, full=full))
    wanted = done.changes.wanted
    _compute_series(connection, done, wanted, computed_at)
    wrong = _wrong_counts(connection, done, project_ids)
    if wrong:
        log.info(
            "Projects %s: insights were inserted or deleted by hand; computing all their scorecards.",
            ", ".join(map(str, sorted(wrong))),
        )
        done.keys = [key for key in done.keys if key[0] not in wrong]
        done.cards = [card for card in done.cards if card["project_id"] not in wrong]
        wanted.update(dict.fromkeys(wrong))
        _compute_series(connection, done, dict.fromkeys(wrong), computed_at)
    return done


def _wrong_counts(connection: Connection, done: _Computed, project_ids: Sequence[int] | None) -> set[int]:
    """Return projects whose scorecards would not hold as many insights as the store.

    Rows that were deleted, or whose model or ticker changed, are not among the changes found before.
    """
    totals, wanted = done.changes.totals, done.changes.wanted
    counted = Counter(changed.count_kept(connection, project_ids))
    for card in done.cards:
        counted[card["project_id"]] += card["insights"]
    whole = {project_id for project_id, since in wanted.items() if since is None}
    known = counted.keys() | totals.keys()
    return {each for each in known - whole if counted[each] != totals.get(each, 0)}


def _compute_series(
    connection: Connection, done: _Computed, wanted: dict[int, datetime | None], computed_at: datetime
) -> None:
    changed.fill_series(connection, wanted)
    keys: dict[int, _Key] = {
        series_id: (project_id, source_model, ticker)
        for series_id, project_id, source_model, ticker in connection.execute(select(staged.series))
    }
    done.keys.extend(keys.values())
    for series_id, horizon, sums, ranks in staged.cards(connection):
        project_id, source_model, ticker = keys[series_id]
        done.cards.append(
            {
                "project_id": project_id,
                "source_model": source_model,
                "ticker": ticker,
                "horizon": horizon,
                **sums.figures(ranks),
                "computed_at": computed_at,
            }
        )


def _save(connection: Connection, done: _Computed, project_ids: Sequence[int] | None) -> bool:
    """Replace the scorecards; if another run has stored scorecards first, store nothing and return False."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if changed.read_progress(connection, project_ids) != done.changes.progress:
        return False
    card = scorecards.c
    whole = [{"project": project_id} for project_id, since in done.changes.wanted.items() if since is None]
    parts = [
        {"project": project_id, "model": source_model, "name": ticker}
        for project_id, source_model, ticker in done.keys
        if done.changes.wanted[project_id] is not None
    ]
    of_project = card.project_id == bindparam("project")
    of_series = (card.source_model == bindparam("model"), card.ticker == bindparam("name"))
    for statement, rows in (
        (delete(scorecards).where(of_project), whole),
        (delete(scorecards).where(of_project, *of_series), parts),
        (insert(scorecards), done.cards),
    ):
        if rows:
            connection.execute(statement, rows)
    _save_progress(connection, done.changes)
    return True


def _save_progress(connection: Connection, changes: Changes) -> None:
    if changes.commits:
        connection.execute(
            update(harvests)
            .where(harvests.c.harvest_id == bindparam("harvest"))
            .values(commits_in_scorecards=bindparam("held")),
            [{"harvest": harvest_id, "held": commits} for harvest_id, commits in changes.commits.items()],
        )
    projects = [{"project": project_id} for project_id in changes.wanted]
    if not projects:
        return
    connection.execute(
        delete(scorecard_progress).where(scorecard_progress.c.project_id == bindparam("project")), projects
    )
    rows = [
        {
            "project_id": project_id,
            "observed_up_to": changes.latest.get(project_id),
            "revision": changes.progress.get(project_id, Progress()).revision + 1,
        }
        for project_id in changes.wanted
    ]
    connection.execute(insert(scorecard_progress), rows)
