"""What the demo reads from the store, and how it notices that the store is not the truth."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from dev.demo_store import Event, Scorecard, count_insights, events, harvests_after, mismatch, scorecards

if TYPE_CHECKING:
    from pathlib import Path

TRUTH: list[dict[str, Any]] = [
    {"insight_id": "aa-bb", "score_is_final": True},
    {"insight_id": "ccdd", "score_is_final": False},
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            """
            create table quantconnect_insights (insight_id, deploy_id, score_is_final);
            insert into quantconnect_insights values ('aabb', 'L-1', 1), ('ccdd', 'L-1', 0);
            create table quantconnect_harvests (
                harvest_id, project_id, deploy_id, requests, read, inserted, updated, status, started_at);
            insert into quantconnect_harvests values
                ('h1', 7, 'L-1', 2, 101, 101, 0, 'complete', '2026-01-01');
            insert into quantconnect_harvests values
                ('h2', 7, 'L-1', 1, 3, 2, 1, 'complete', '2026-01-02');
            create table quantconnect_events (kind, deploy_id, opened_at, resolved_at, action);
            insert into quantconnect_events values
                ('stale', 'L-2', '2026-01-02', null, null),
                ('died', 'L-1', '2026-01-01', '2026-01-02', 'redeploy');
            create table quantconnect_scorecards (
                project_id, source_model, ticker, horizon, insights, scored, hit_rate, hit_rate_low,
                hit_rate_high);
            insert into quantconnect_scorecards values
                (7, 'Trend', 'SPY', '1d', 3, 0, null, null, null),
                (7, 'Trend', 'SPY', '1h', 9, 4, 0.5, 0.15, 0.85);
            """
        )
    return path


def change(store: Path, statement: str) -> None:
    with closing(sqlite3.connect(store)) as database, database:
        database.execute(statement)


def test_a_store_that_is_the_truth_has_no_mismatch(store: Path) -> None:
    assert mismatch(store, "L-1", TRUTH) is None


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("delete from quantconnect_insights where insight_id = 'ccdd'", "1 missing, 0 too many, 0 with"),
        ("insert into quantconnect_insights values ('ee', 'L-1', 0)", "0 missing, 1 too many, 0 with"),
        ("update quantconnect_insights set score_is_final = 0", "0 missing, 0 too many, 1 with"),
    ],
)
def test_a_store_that_is_not_the_truth_is_found_out(store: Path, statement: str, said: str) -> None:
    change(store, statement)

    assert said in str(mismatch(store, "L-1", TRUTH))


def test_only_harvests_that_are_new_are_told(store: Path) -> None:
    (harvest,) = harvests_after(store, {"h1"})

    assert (harvest.harvest_id, harvest.inserted, harvest.updated, harvest.in_table, harvest.final) == (
        "h2",
        2,
        1,
        2,
        1,
    )


def test_events_come_in_the_order_in_which_they_were_opened(store: Path) -> None:
    assert events(store) == [
        Event("died", "L-1", "2026-01-01", "2026-01-02", "redeploy"),
        Event("stale", "L-2", "2026-01-02", None, None),
    ]


def test_before_the_first_harvest_there_are_none(tmp_path: Path) -> None:
    assert harvests_after(tmp_path / "none.db", set()) == []


def test_the_scorecards_with_the_most_scored_insights_come_first(store: Path) -> None:
    assert scorecards(store) == [
        Scorecard(7, "Trend", "SPY", "1h", 9, 4, 0.5, 0.15, 0.85),
        Scorecard(7, "Trend", "SPY", "1d", 3, 0, None, None, None),
    ]
    assert count_insights(store) == 2
