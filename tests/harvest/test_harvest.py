from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from quantconnect_provider.harvest import Store
from tests.harvest.contents import assert_holds, deployment_row, harvest_rows, stored_insights
from tests.harvest.fake_api import FakeApi
from tests.harvest.nights import night


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 198, 199, 200, 1234])
def test_the_first_harvest_stores_every_insight(api: FakeApi, store: Store, count: int) -> None:
    deployment = api.deploy()
    api.emit(deployment, count)
    report = night(api, store)
    assert_holds(store, deployment)
    assert (report.read, report.inserted, report.updated) == (count, count, 0)


@pytest.mark.parametrize("inclusive_end", [False, True])
@pytest.mark.parametrize("largest_window", [100, 99])
@pytest.mark.parametrize("past_end", ["empty", "error", "clamp"])
@pytest.mark.parametrize("length", ["total", "page", "wrong", "none"])
def test_every_reading_of_the_documentation_gives_the_same_store(
    sqlite_template: Path,
    tmp_path: Path,
    inclusive_end: bool,
    largest_window: int,
    past_end: str,
    length: str,
) -> None:
    api = FakeApi(
        inclusive_end=inclusive_end, largest_window=largest_window, past_end=past_end, length=length
    )
    with Store.open(f"sqlite:///{shutil.copy(sqlite_template, tmp_path)}") as store:
        exact, other = api.deploy(1), api.deploy(2)
        api.emit(exact, 298)
        api.emit(other, 450)
        night(api, store)
        api.emit(exact, 99)
        api.score(other, 440, 0.5)
        night(api, store)
        api.remove(other, 100, 120)
        night(api, store)
        for deployment in (exact, other):
            assert_holds(store, deployment)


def test_a_quiet_night_costs_one_request(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 730)
    night(api, store)
    api.now += timedelta(days=20)
    night(api, store)  # sees every insight after its time to change
    report = night(api, store)
    assert len(api.requests) == 1
    assert (report.inserted, report.updated) == (0, 0)


def test_open_insights_near_the_end_cost_no_further_request(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 600)
    api.now += timedelta(days=20)
    night(api, store)
    api.emit(deployment, 40, minutes=60 * 24)
    night(api, store)
    api.score(deployment, 610, 0.25)
    api.emit(deployment, 30)
    report = night(api, store)
    assert len(api.requests) == 1
    assert (report.inserted, report.updated) == (30, 1)
    assert_holds(store, deployment)


def test_windows_with_open_insights_are_read_and_nothing_between(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 500)
    api.emit(deployment, 1, minutes=60 * 24 * 90)
    api.emit(deployment, 1499)
    api.now += timedelta(days=20)
    night(api, store)
    api.score(deployment, 500, 1.5)
    report = night(api, store)
    assert sorted(start for _, start, _ in api.requests) == [500, 1999]
    assert report.updated == 1
    assert_holds(store, deployment)


def test_an_insight_is_read_once_more_however_long_the_harvest_paused(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 500)
    night(api, store)
    for index in range(500):
        api.score(deployment, index, 0.5)
    api.now += timedelta(days=25)
    night(api, store)
    assert_holds(store, deployment)


def test_never_expiring_insights_do_not_make_every_night_a_full_read(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 3000, never=True)
    night(api, store)
    api.now += timedelta(days=8)
    night(api, store)
    night(api, store)
    assert len(api.requests) == 1


def test_a_full_pass_comes_by_itself_when_its_time_has_come(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 900)
    api.now += timedelta(days=20)
    night(api, store)
    api.score(deployment, 3, 9.0)
    api.now += timedelta(days=29)
    night(api, store)
    assert len(api.requests) == 1
    api.now += timedelta(days=1)
    night(api, store)
    assert_holds(store, deployment)
    night(api, store)
    assert len(api.requests) == 1


def test_full_reads_everything_again(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 900)
    api.now += timedelta(days=20)
    night(api, store)
    api.score(deployment, 3, 9.0)
    report = night(api, store, full=True)
    assert (report.read, report.inserted, report.updated) == (900, 0, 1)
    assert_holds(store, deployment)


@pytest.mark.parametrize(("first", "count"), [(0, 1), (3, 200), (640, 3), (990, 10), (0, 1000)])
def test_removed_insights_are_noticed_and_kept_without_a_place(
    api: FakeApi, store: Store, first: int, count: int
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 1000)
    night(api, store)
    gone = deployment.ids[first : first + count]
    api.remove(deployment, first, count)
    api.emit(deployment, 70)
    night(api, store)
    assert_holds(store, deployment)
    stored = stored_insights(store, deployment.deploy_id)
    assert all(stored[insight_id]["position"] is None for insight_id in gone)


def test_a_shift_is_found_with_few_requests(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 9_000)
    api.now += timedelta(days=20)
    night(api, store)
    api.remove(deployment, 8_700, 3)
    night(api, store)
    assert len(api.requests) <= 12
    assert_holds(store, deployment)


def test_a_restart_with_an_empty_list_keeps_what_is_stored(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    before = [insight.insight_id for insight in api.emit(deployment, 250)]
    night(api, store)
    deployment.insights.clear()
    api.snapshot(deployment)
    night(api, store)
    api.emit(deployment, 300)
    night(api, store)
    assert_holds(store, deployment)
    assert set(before) <= set(stored_insights(store, deployment.deploy_id))


def test_a_stopped_deployment_is_read_once_after_its_last_flush_and_then_costs_nothing(
    api: FakeApi, store: Store
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 150)
    api.now += timedelta(days=20)
    night(api, store)
    api.stop(deployment)
    night(api, store)  # too early: the last flush is not there yet
    api.emit(deployment, 5)
    api.now += timedelta(days=8)
    night(api, store)
    assert_holds(store, deployment)
    report = night(api, store)
    assert api.requests == []
    assert [result.status for result in report.results] == ["settled"]
    newest = harvest_rows(store, deployment.deploy_id)[-1]
    assert (newest["requests"], newest["status"]) == (0, "complete")


def test_a_restarted_deployment_is_read_again(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 150)
    api.stop(deployment, "RuntimeError")
    api.now += timedelta(days=20)
    night(api, store)
    night(api, store)
    assert api.requests == []
    deployment.status, deployment.stopped_at = "Running", None
    api.emit(deployment, 10)
    night(api, store)
    assert_holds(store, deployment)


def test_the_smaller_page_is_found_out_once(api: FakeApi, store: Store) -> None:
    api.largest_window = 99
    deployment = api.deploy()
    api.emit(deployment, 50)
    night(api, store)
    assert [end - start for _, start, end in api.requests] == [100, 99]
    other = api.deploy(2)
    api.emit(other, 50)
    night(api, store)
    assert {end - start for _, start, end in api.requests} == {99}


def test_a_harvest_leaves_its_record(api: FakeApi, store: Store) -> None:
    deployment = api.deploy(77)
    api.emit(deployment, 120)
    night(api, store)
    (row,) = harvest_rows(store, deployment.deploy_id)
    assert (row["project_id"], row["run_id"], row["status"], row["error"]) == (77, "a run", "complete", None)
    assert (row["requests"], row["read"], row["inserted"], row["updated"]) == (2, 120, 120, 0)
    assert row["started_at"] < row["finished_at"]


def test_the_deployment_is_stored_as_listed(api: FakeApi, store: Store) -> None:
    deployment = api.deploy(77)
    api.stop(deployment, "Liquidated")
    night(api, store)
    row = deployment_row(store, deployment.deploy_id)
    assert (row["project_id"], row["project_name"], row["status"]) == (77, "Project 77", "Liquidated")
    assert row["stopped_at"] == deployment.stopped_at
