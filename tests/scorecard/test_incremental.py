"""What changed is computed again, and nothing else; the result is that of computing everything."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, update

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.scorecard import compute
from quantconnect_provider.scorecard.compute import compute_scorecards
from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import insights
from tests.harvest.fake_api import FakeApi
from tests.harvest.nights import night
from tests.scorecard.rows import T0, deployed, figures, harvested, insight, keep

MINUTE = timedelta(minutes=1)


def change(store: Store, row: dict[str, Any], **values: Any) -> None:
    where = (insights.c.project_id == row["project_id"], insights.c.insight_id == row["insight_id"])
    store.write(lambda connection: connection.execute(update(insights).where(*where).values(**values)))


def assert_up_to_date(store: Store) -> None:
    found = figures(store)
    compute_scorecards(store, full=True)
    assert found == figures(store)


def test_only_the_series_with_a_changed_insight_is_computed(store: Store) -> None:
    rows = [insight(ticker=ticker) for ticker in ("SPY", "QQQ") for _ in range(3)]
    keep(store, *rows)
    assert compute_scorecards(store).counts()["series"] == 2
    assert compute_scorecards(store).counts()["series"] == 0

    change(store, rows[0], score_is_final=True, score_direction=1.0, observed_at=T0 + MINUTE)
    report = compute_scorecards(store)

    assert report.counts() == {
        "projects": 1, "changed_projects": 1, "series": 1, "insights": 3, "scorecards": 1,
    }  # fmt: skip
    assert figures(store)[1, "EmaCross", "SPY", "1d"]["hits"] == 1
    assert_up_to_date(store)


def test_a_row_that_is_committed_late_is_not_missed(store: Store) -> None:
    keep(store, insight(), insight(ticker="QQQ"))
    compute_scorecards(store)

    # A harvest that began before, and stores only now what it read then: one new row, one changed.
    late = insight(ticker="IWM", observed_at=T0 - MINUTE)
    keep(store, late)
    harvested(store, T0 - 2 * MINUTE)
    compute_scorecards(store)
    assert (1, "EmaCross", "IWM", "1d") in figures(store)

    change(store, late, score_is_final=True, score_direction=1.0, observed_at=T0 - MINUTE / 2)
    harvested(store, T0 - MINUTE)
    compute_scorecards(store)
    assert figures(store)[1, "EmaCross", "IWM", "1d"]["hits"] == 1
    assert compute_scorecards(store).counts()["series"] == 0


def test_an_insight_that_a_slow_harvest_has_found_closed_is_not_missed(store: Store) -> None:
    row = insight(closes_at=T0 + MINUTE, reference_value_final=110.0)
    keep(store, row, insight(ticker="QQQ", observed_at=T0 + 3 * MINUTE))
    compute_scorecards(store)
    assert figures(store)[1, "EmaCross", "SPY", "1d"]["open"] == 1

    # Nothing but the time of reading changes, and it is before that of the insight about QQQ.
    change(store, row, observed_at=T0 + 2 * MINUTE)
    harvested(store, T0 + MINUTE)
    compute_scorecards(store)
    assert figures(store)[1, "EmaCross", "SPY", "1d"]["open"] == 0


def test_a_cancelled_insight_changes_its_horizon(store: Store) -> None:
    row = insight()
    keep(store, row, insight())
    compute_scorecards(store)

    change(store, row, period_seconds=3600.0, observed_at=T0 + MINUTE)
    compute_scorecards(store)

    assert {key[3]: card["insights"] for key, card in figures(store).items()} == {"1d": 1, "1h": 1}


@pytest.mark.parametrize("by_hand", ["deleted", "renamed", "inserted", "all deleted"])
def test_rows_changed_by_hand_are_noticed_by_their_number(store: Store, by_hand: str) -> None:
    row = insight(ticker="QQQ")
    keep(store, row, insight(), insight(project_id=2))
    compute_scorecards(store)
    if by_hand == "deleted":
        where = insights.c.insight_id == row["insight_id"]
        store.write(lambda connection: connection.execute(delete(insights).where(where)))
    elif by_hand == "renamed":
        change(store, row, ticker="QQQM", observed_at=T0 + MINUTE)
    elif by_hand == "inserted":
        keep(store, insight(observed_at=T0 - MINUTE))
    else:
        store.write(lambda connection: connection.execute(delete(insights)))

    compute_scorecards(store)

    assert_up_to_date(store)


def test_only_the_projects_asked_for(store: Store) -> None:
    for project_id in (1, 2):
        deployed(store, project_id)
        keep(store, insight(project_id=project_id))
    compute_scorecards(store, [2])
    assert [key[0] for key in figures(store)] == [2]

    compute_scorecards(store)
    assert sorted(key[0] for key in figures(store)) == [1, 2]


def test_an_unknown_project_is_named(store: Store) -> None:
    deployed(store, 1)
    with pytest.raises(InvalidSettingError, match="no deployment of project 7, 8"):
        compute_scorecards(store, [8, 1, 7])


def test_two_runs_at_once_never_leave_the_older_result(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    row = insight()
    keep(store, row)
    begin = compute._compute

    def slow(*args: Any, **kwargs: Any) -> Any:
        done = begin(*args, **kwargs)
        monkeypatch.setattr(compute, "_compute", begin)
        change(store, row, score_is_final=True, score_direction=1.0, observed_at=T0 + MINUTE)
        compute_scorecards(store)  # another run, which sees the change and is faster
        return done

    monkeypatch.setattr(compute, "_compute", slow)
    compute_scorecards(store)

    assert figures(store)[1, "EmaCross", "SPY", "1d"]["hits"] == 1


def test_a_run_that_is_always_overtaken_ends_and_leaves_the_newest_result(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = insight()
    keep(store, row)
    begin, hits = compute._compute, []

    def slow(*args: Any, **kwargs: Any) -> Any:
        done = begin(*args, **kwargs)
        with monkeypatch.context() as other:
            other.setattr(compute, "_compute", begin)
            hits.append(len(hits) % 2)
            at = T0 + len(hits) * MINUTE
            change(store, row, score_is_final=True, score_direction=float(hits[-1]), observed_at=at)
            compute_scorecards(store)
        return done

    monkeypatch.setattr(compute, "_compute", slow)
    with pytest.raises(RuntimeError, match="Other runs stored scorecards first"):
        compute_scorecards(store)

    assert len(hits) == 5
    assert figures(store)[1, "EmaCross", "SPY", "1d"]["hits"] == hits[-1]


def test_many_nights_of_harvests_give_what_one_computation_gives(store: Store) -> None:
    api, draw = FakeApi(), random.Random(5)
    first, second = api.deploy(1), api.deploy(2)
    for _ in range(6):
        for deployment in (first, second):
            api.emit(deployment, draw.randint(0, 5))
            for index in range(len(deployment.insights)):
                if draw.random() < 0.3:
                    api.score(deployment, index, draw.choice([0.0, 1.0]), final=draw.random() < 0.7)
        api.now += timedelta(hours=draw.choice([1, 30]))
        night(api, store)
        compute_scorecards(store)
        assert_up_to_date(store)


def test_a_quiet_night_reads_no_series(store: Store) -> None:
    api = FakeApi()
    api.emit(api.deploy(1), 20)
    night(api, store)
    compute_scorecards(store)
    statements: list[str] = []
    event.listen(
        store.engine, "before_cursor_execute", lambda _c, _cur, statement, *_: statements.append(statement)
    )

    assert compute_scorecards(store).counts()["changed_projects"] == 0

    assert [each for each in statements if "RANK" in each.upper()] == []
