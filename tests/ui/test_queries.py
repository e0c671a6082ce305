"""The page's queries on both databases, and their limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import deployments, insights
from quantconnect_provider.store.watch_tables import equity
from quantconnect_provider.ui.queries import deployments as deployment_queries
from quantconnect_provider.ui.queries import history
from quantconnect_provider.ui.queries import insights as insight_queries
from tests.store.fixtures import (  # noqa: F401 - fixtures
    postgres_server,
    postgres_template,
    sqlite_template,
    store_url,
)
from tests.ui import seed

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
ETF, PAIRS = seed.deploy_id_of(11000001), seed.deploy_id_of(11000002)


@pytest.fixture
def filled(store_url: str) -> Iterator[Store]:  # noqa: F811 - the fixture
    with Store.open(store_url) as store:
        seed.fill(store, NOW)
        yield store


def page(store: Store, **asked: Any) -> deployment_queries.DeploymentPage:
    defaults: dict[str, Any] = {"show": "current", "search": "", "sort": "urgency", "descending": False}
    with store.read() as connection:
        return deployment_queries.list_deployments(
            connection, NOW, with_watch=True, limit=50, offset=0, **{**defaults, **asked}
        )


def test_every_query_answers_on_this_database(filled: Store) -> None:
    with filled.read() as connection:
        found = deployment_queries.summary(connection, with_watch=True)
        assert (found.running, found.broken, found.open_events) == (3, 1, 2)
        window = insight_queries.find_window(connection, ETF, None)
        for key in insight_queries.SortKey.__args__:  # type: ignore[attr-defined]
            filters = insight_queries.Filters(
                search="t", direction="UP", model=seed.MODELS[1], state="scored"
            )
            rows = insight_queries.list_insights(
                connection, ETF, window, filters, NOW, sort=key, descending=True, limit=5, offset=0
            )
            assert len(rows.rows) == 5
            assert all(row["direction"] == "up" for row in rows.rows)
        counts = insight_queries.count_by_time(connection, ETF, window)
        assert sum(count for _, _, count in counts) == 400
        assert counts[0][0] == "2026-10-15"
        assert len(history.equity_curve(connection, ETF).times) == 600
        assert len(history.list_harvests(connection, 11000001, ETF)) == 14
        assert [event["kind"] for event in history.list_events(connection, PAIRS)] == ["died"]
        assert {score.name for score in history.scores(connection, 11000001).by_ticker} == set(seed.TICKERS)
        (run_id,) = {row["run_id"] for row in history.list_harvests(connection, 11000001, ETF)[:1]}
        assert ETF in history.deployments_of_run(connection, run_id)
        assert deployment_queries.newest_of_projects(connection, [11000002]) == [PAIRS]
    for sort in deployment_queries.SortKey.__args__:  # type: ignore[attr-defined]
        assert page(filled, sort=sort).total == 5


def test_only_the_newest_deployment_of_a_project_is_current(filled: Store) -> None:
    newer = {
        "deploy_id": "L-newer",
        "project_id": 11000002,
        "status": "Running",
        "launched_at": NOW,
        "observed_at": NOW,
    }
    with filled.engine.begin() as connection:
        connection.execute(insert(deployments), [newer])
    assert "L-newer" in {row.deploy_id for row in page(filled).rows}
    assert PAIRS not in {row.deploy_id for row in page(filled).rows}
    assert page(filled, show="broken").total == 0
    assert page(filled, show="all").total == 6


@pytest.mark.parametrize(
    ("status", "stopped", "phase"),
    [
        ("Running", False, "running"),
        ("Running", True, "over_well"),
        ("InQueue", False, "starting"),
        ("InQueue", True, "over_badly"),
        ("Liquidated", False, "over_well"),
        ("DeployError", False, "over_badly"),
        ("SomethingNew", False, "unknown"),
        (None, False, "unknown"),
    ],
)
def test_the_database_and_the_client_agree_on_what_a_status_means(
    filled: Store, status: str | None, stopped: bool, phase: str
) -> None:
    with filled.engine.begin() as connection:
        connection.execute(delete(deployments).where(deployments.c.deploy_id != ETF))
        connection.execute(update(deployments).values(status=status, stopped_at=NOW if stopped else None))
    assert [row.phase for row in page(filled).rows] == [phase]
    assert page(filled, show="running").total == (phase in ("running", "starting", "unknown"))
    assert page(filled, show="broken").total == (phase == "over_badly")


def test_open_insights_are_counted_up_to_a_limit(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def count() -> int:
        return next(row.open_insights for row in page(filled).rows if row.deploy_id == ETF)

    with filled.engine.begin() as connection:
        mine = insights.c.deploy_id == ETF
        connection.execute(update(insights).where(mine).values(closes_at=NOW - timedelta(days=1)))
        forever, later = (insights.c.position.between(first, first + 9) for first in (0, 10))
        connection.execute(update(insights).where(mine, forever).values(closes_at=None))
        connection.execute(update(insights).where(mine, later).values(closes_at=NOW + timedelta(days=1)))
    assert count() == 20
    monkeypatch.setattr(deployment_queries, "OPEN_COUNTED_TO", 15)
    assert count() == 15


def test_a_long_equity_curve_is_cut_to_the_newest(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "EQUITY_POINTS", 100)
    with filled.read() as connection:
        curve = history.equity_curve(connection, ETF)
    assert (len(curve.times), curve.complete) == (100, False)
    assert curve.times[-1] == (NOW - timedelta(minutes=10)).timestamp()


def test_equity_that_is_not_known_is_left_out(filled: Store) -> None:
    with filled.engine.begin() as connection:
        connection.execute(update(equity).values(equity=None))
    with filled.read() as connection:
        assert history.equity_curve(connection, ETF).times == []
    row = next(row for row in page(filled).rows if row.deploy_id == ETF)
    assert (row.equity, row.sparkline) == (None, [])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([100.0, 110.0, 99.0, 121.0], [0.0, 0.0, -0.1, 0.0]),
        ([0.0, -5.0], [0.0, 0.0]),
        ([100.0, 0.0], [0.0, -1.0]),
    ],
)
def test_drawdown_is_the_loss_since_the_highest(values: list[float], expected: list[float]) -> None:
    assert history.drawdown_of(values) == pytest.approx(expected)
