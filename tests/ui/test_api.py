"""What the routes answer about a filled store, an empty one, and none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import insights
from quantconnect_provider.ui.queries import insights as insight_queries
from quantconnect_provider.ui.store_access import access
from tests.ui import seed

ETF, PAIRS, CRYPTO, OVERNIGHT, NEW = (seed.deploy_id_of(11000001 + index) for index in range(5))


def get(client: Any, route: str, **params: Any) -> Any:
    answer = client.get(f"/quantconnect/api/{route}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 knows no Z


def test_summary_counts_the_newest_deployment_of_each_project(viewer: Any) -> None:
    found = get(viewer, "summary")
    assert (found["running"], found["broken"], found["open_events"]) == (3, 1, 2)
    harvested = moment(found["harvested_at"])
    assert timedelta(hours=8.9) < datetime.now(timezone.utc) - harvested < timedelta(hours=9.1)


def test_the_table_begins_with_what_is_broken(viewer: Any) -> None:
    page = get(viewer, "deployments")
    assert page["total"] == 5
    assert [row["phase"] for row in page["rows"]] == [
        "over_badly",
        "running",
        "running",
        "starting",
        "over_well",
    ]
    pairs = page["rows"][0]
    assert (pairs["deploy_id"], pairs["open_events"], pairs["brokerage"]) == (PAIRS, 1, "AlpacaBrokerage")
    assert 0.4 < pairs["hit_rate"] < 0.7
    assert len(pairs["sparkline"]) == 144
    assert pairs["equity"] == pairs["sparkline"][-1]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"show": "running"}, {ETF, CRYPTO, NEW}),
        ({"show": "broken"}, {PAIRS}),
        ({"search": "momentum"}, {ETF}),
        ({"search": "11000003"}, {CRYPTO}),
        ({"search": "paperbrok"}, {OVERNIGHT, NEW}),
        ({"search": "100%"}, set()),
        ({"search": "_"}, {NEW}),
    ],
)
def test_deployments_are_found(viewer: Any, asked: dict[str, str], expected: set[str]) -> None:
    page = get(viewer, "deployments", **asked)
    assert {row["deploy_id"] for row in page["rows"]} == expected
    assert page["total"] == len(expected)


def test_deployments_are_sorted_and_paged_on_the_server(viewer: Any) -> None:
    pages = [
        get(viewer, "deployments", sort="launched", descending=True, limit=2, offset=offset)["rows"]
        for offset in (0, 2, 4)
    ]
    assert [[row["deploy_id"] for row in page] for page in pages] == [
        [NEW, PAIRS],
        [ETF, OVERNIGHT],
        [CRYPTO],
    ]


def test_a_deployment_that_the_store_does_not_know_is_not_found(viewer: Any) -> None:
    answer = viewer.get("/quantconnect/api/deployment", params={"deploy_id": "L-nothing"})
    assert answer.status_code == 404


def test_an_equity_curve_has_its_drawdown(viewer: Any) -> None:
    curve = get(viewer, "equity", deploy_id=ETF)
    assert len(curve["times"]) == len(curve["equity"]) == len(curve["drawdown"]) == 600
    assert curve["times"] == sorted(curve["times"])
    assert max(curve["drawdown"]) == 0
    assert curve["complete"] is True


@pytest.mark.parametrize(
    ("asked", "matches"),
    [
        ({}, lambda row: True),
        ({"direction": "down"}, lambda row: row["direction"] == "down"),
        ({"model": seed.MODELS[0]}, lambda row: row["source_model"] == seed.MODELS[0]),
        ({"search": "rebalance"}, lambda row: "rebalance" in row["tag"]),
        ({"search": "5 %"}, lambda row: "5 %" in row["tag"]),
        ({"search": seed.HOSTILE}, lambda row: row["tag"] == seed.HOSTILE),
        ({"state": "scored"}, lambda row: row["score_is_final"]),
        (
            {"state": "closed"},
            lambda row: moment(row["closes_at"]) <= datetime.now(timezone.utc),
        ),
        (
            {"state": "open", "direction": "up"},
            lambda row: row["direction"] == "up" and not row["score_is_final"],
        ),
    ],
)
def test_insights_are_filtered(viewer: Any, asked: dict[str, str], matches: Callable[[Any], bool]) -> None:
    every = [
        row
        for offset in (0, 200)
        for row in get(viewer, "insights", deploy_id=ETF, limit=200, offset=offset)["rows"]
    ]
    expected = [row["insight_id"] for row in every if matches(row)]
    page = get(viewer, "insights", deploy_id=ETF, limit=200, **asked)
    assert page["total"] == len(expected) > 0
    assert page["size"] == 400
    assert [row["insight_id"] for row in page["rows"]] == expected[:200]


@pytest.mark.parametrize("key", insight_queries.SortKey.__args__)  # type: ignore[attr-defined]
def test_insights_are_sorted_both_ways_with_empty_values_last(viewer: Any, key: str) -> None:
    for descending in (False, True):
        rows = get(viewer, "insights", deploy_id=ETF, sort=key, descending=descending, limit=200, offset=200)[
            "rows"
        ]
        values = [row[key] for row in rows]
        present = [value for value in values if value is not None]
        assert values[: len(present)] == present == sorted(present, reverse=descending)


def test_insights_beyond_a_window_are_one_step_away(
    viewer: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insight_queries, "WINDOW", 150)
    with store.engine.begin() as connection:
        gone = insights.c.insight_id.in_([f"{11000001:016x}{position:016x}" for position in (3, 399)])
        connection.execute(update(insights).where(gone).values(position=None))
    seen, before, sizes = [], None, []
    while True:
        asked = {} if before is None else {"before": before}
        page = get(viewer, "insights", deploy_id=ETF, limit=200, **asked)
        seen += [row["insight_id"] for row in page["rows"]]
        sizes.append(page["size"])
        before = page["older"]
        if before is None:
            break
    assert sizes == [150, 150, 98, 2]
    assert len(seen) == len(set(seen)) == 400


def test_the_timeline_counts_by_day_and_direction(viewer: Any) -> None:
    rows = get(viewer, "timeline", deploy_id=ETF)
    assert sum(count for _, _, count in rows) == 400
    assert {direction for _, direction, _ in rows} == {"up", "down", "flat"}
    days = [day for day, _, _ in rows]
    assert days == sorted(days)
    assert len(set(days)) in (41, 42)
    assert all(len(day) == len("2026-11-02") for day in days)


def test_the_timeline_of_a_short_time_is_by_hour(viewer: Any, store: Store) -> None:
    at = datetime(2026, 11, 2, 15, 30, tzinfo=timezone.utc)
    row = {"project_id": 5, "deploy_id": "L-short", "extra": {}, "first_seen_at": at, "observed_at": at}
    rows = [
        {
            **row,
            "insight_id": f"{n:032x}",
            "position": n,
            "direction": "up",
            "generated_at": at + timedelta(hours=n),
        }
        for n in range(3)
    ]
    with store.engine.begin() as connection:
        connection.execute(insert(insights), rows)
    assert get(viewer, "timeline", deploy_id="L-short") == [
        ["2026-11-02T15", "up", 1],
        ["2026-11-02T16", "up", 1],
        ["2026-11-02T17", "up", 1],
    ]


def test_harvests_and_events_and_scores_of_a_deployment(viewer: Any) -> None:
    rows = get(viewer, "harvests", project_id=11000001, deploy_id=ETF)
    assert len(rows) == 14
    assert rows == sorted(rows, key=lambda row: row["started_at"], reverse=True)
    assert {row["status"] for row in rows} == {"complete", "failed"}
    (event,) = get(viewer, "events", deploy_id=PAIRS)
    assert (event["kind"], event["severity"], event["resolved_at"]) == ("died", "critical", None)
    found = get(viewer, "scores", project_id=11000001)
    assert {score["name"] for score in found["by_model"]} == set(seed.MODELS)
    assert {score["name"] for score in found["by_ticker"]} == set(seed.TICKERS)
    for score in found["by_model"] + found["by_ticker"]:
        assert score["insights"] == score["scored"] + score["open"]
        assert 0 < score["hit_rate"] < 1


@pytest.mark.parametrize(
    ("route", "asked"),
    [
        ("deployments", {"sort": "status; DROP TABLE quantconnect_deployments"}),
        ("deployments", {"show": "everything"}),
        ("deployments", {"limit": 1000000}),
        ("deployments", {"limit": 0}),
        ("deployments", {"offset": -1}),
        ("deployments", {"search": "x" * 101}),
        ("deployments", {"search": "\x00"}),
        ("deployment", {}),
        ("deployment", {"deploy_id": "\x00"}),
        ("insights", {"deploy_id": ETF, "sort": "extra"}),
        ("insights", {"deploy_id": ETF, "sort": "(SELECT 1)"}),
        ("insights", {"deploy_id": ETF, "offset": 10**9}),
        ("insights", {"deploy_id": ETF, "before": "-5"}),
        ("insights", {"deploy_id": ETF, "before": "1 OR 1=1"}),
        ("insights", {"deploy_id": ETF, "before": 10**30}),
        ("insights", {"deploy_id": ETF, "state": "' OR '1'='1"}),
        ("harvests", {"deploy_id": ETF, "project_id": "1 OR 1=1"}),
        ("harvests", {"deploy_id": ETF, "project_id": 10**30}),
        ("scores", {"project_id": 10**30}),
    ],
)
def test_what_is_not_on_a_list_or_in_a_range_is_refused(viewer: Any, route: str, asked: Any) -> None:
    assert viewer.get(f"/quantconnect/api/{route}", params=asked).status_code == 422


@pytest.mark.parametrize("text", ["' OR '1'='1", "%", "\\", '"; DROP TABLE x; --', "💥" * 20, "%27"])
def test_hostile_text_in_a_filter_is_only_text(viewer: Any, text: str) -> None:
    assert get(viewer, "insights", deploy_id=text)["total"] == 0
    assert get(viewer, "insights", deploy_id=ETF, model=text)["total"] == 0
    assert get(viewer, "deployments", search=text)["total"] in (0, 1)
    assert get(viewer, "insights", deploy_id=ETF)["total"] == 400


@pytest.mark.parametrize("exists", [False, True])
def test_a_store_without_rows_is_shown_as_empty(
    client_as: Callable[..., Any], store_path: Path, exists: bool
) -> None:
    if exists:
        Store.open(f"sqlite:///{store_path}").close()
    client = client_as("viewer")
    assert get(client, "summary") == {"running": 0, "broken": 0, "harvested_at": None, "open_events": 0}
    assert get(client, "deployments") == {"rows": [], "total": 0}
    assert get(client, "insights", deploy_id=ETF)["rows"] == []
    assert get(client, "timeline", deploy_id=ETF) == get(client, "events", deploy_id=ETF) == []
    assert get(client, "equity", deploy_id=ETF)["times"] == []
    assert get(client, "scores", project_id=1)["by_model"] == []
    assert store_path.exists() == exists


def test_a_database_without_the_stores_tables_is_an_empty_store(
    client_as: Callable[..., Any], store_path: Path
) -> None:
    with closing(sqlite3.connect(store_path)) as connection:
        connection.execute("CREATE TABLE of_somebody_else (x)")
    assert get(client_as("viewer"), "deployments") == {"rows": [], "total": 0}


def test_the_store_is_opened_again_when_its_address_changes_and_only_then(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantconnect_provider.ui.store_access._ADDRESS_SECONDS", 0.0)
    first = access.engine()
    assert access.engine() is first
    other = tmp_path / "other.db"
    Store.open(f"sqlite:///{other}").close()
    monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_STORE", f"sqlite:///{other}")
    opened = access.engine()
    assert opened is not None
    assert opened.url.database == str(other)


def test_tables_of_another_version_are_named(client_as: Callable[..., Any], store: Store) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE quantconnect_alembic_version SET version_num = '9999'")
    answer = client_as("viewer").get("/quantconnect/api/summary")
    assert answer.status_code == 503
    assert "9999" in answer.json()["detail"]
