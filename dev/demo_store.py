"""Reads the demo's store as any user could, with SQL, and compares it with what the sandbox knows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Harvest:
    """One deployment in one harvest: its row of quantconnect_harvests, and how full the table then is."""

    harvest_id: str
    deploy_id: str
    requests: int
    read: int
    inserted: int
    updated: int
    status: str
    in_table: int
    final: int


@dataclass(frozen=True)
class Event:
    """A row of quantconnect_events; times are text, in UTC."""

    kind: str
    deploy_id: str
    opened_at: str
    resolved_at: str | None
    action: str | None


@dataclass(frozen=True)
class Scorecard:
    """A row of quantconnect_scorecards: how often one model was right about one ticker."""

    project_id: int
    source_model: str
    ticker: str
    horizon: str
    insights: int
    scored: int
    hit_rate: float | None
    low: float | None
    high: float | None


def query(store: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one SELECT; nothing is there before the first harvest made the store."""
    if not store.is_file():
        return []
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return connection.execute(statement, values).fetchall()


def harvests_after(store: Path, known: Collection[str]) -> list[Harvest]:
    """List the harvests that are not known yet, oldest first, with the table's counts now."""
    rows = query(
        store,
        "select harvest_id, deploy_id, requests, read, inserted, updated, status"
        " from quantconnect_harvests order by project_id, started_at",
    )
    counts = (
        "select count(*), coalesce(sum(score_is_final), 0) from quantconnect_insights where deploy_id = ?"
    )
    return [Harvest(*row, *query(store, counts, row[1])[0]) for row in rows if row[0] not in known]


def events(store: Path) -> list[Event]:
    """List the events, oldest first."""
    statement = (
        "select kind, deploy_id, opened_at, resolved_at, action from quantconnect_events"
        " order by opened_at, kind"
    )
    return [Event(*row) for row in query(store, statement)]


def scorecards(store: Path) -> list[Scorecard]:
    """List the scorecards, those with the most scored insights first."""
    statement = (
        "select project_id, source_model, ticker, horizon, insights, scored, hit_rate, hit_rate_low,"
        " hit_rate_high from quantconnect_scorecards order by scored desc, project_id, ticker, horizon"
    )
    return [Scorecard(*row) for row in query(store, statement)]


def count_insights(store: Path) -> int:
    """Count the stored insights."""
    return int(query(store, "select count(*) from quantconnect_insights")[0][0])


def mismatch(store: Path, deploy_id: str, truth: Sequence[dict[str, Any]]) -> str | None:
    """Say how the stored insights of a deployment differ from the true ones; None when they do not."""
    statement = "select insight_id, score_is_final from quantconnect_insights where deploy_id = ?"
    stored = {insight_id: bool(final) for insight_id, final in query(store, statement, deploy_id)}
    true = {row["insight_id"].replace("-", ""): bool(row["score_is_final"]) for row in truth}
    if stored == true:
        return None
    missing, surplus = len(true.keys() - stored.keys()), len(stored.keys() - true.keys())
    old = sum(stored[key] != true[key] for key in stored.keys() & true.keys())
    return f"{missing} missing, {surplus} too many, {old} with an old score, of {len(true)}"
