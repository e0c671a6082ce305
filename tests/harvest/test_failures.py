"""Failing requests, killed and slow workers, two harvests at once."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from quantconnect_provider.client.errors import (
    CredentialsError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
)
from quantconnect_provider.harvest import HarvestFailedError, Store, harvest
from tests.harvest.contents import assert_holds, deployment_row, harvest_rows, stored_insights
from tests.harvest.fake_api import FakeApi
from tests.harvest.nights import harvest_all, night


def failing_at(api: FakeApi, number: int, error: Exception) -> None:
    """Let the request with this number fail, counted from now."""
    first = len(api.requests)

    def fail(at: int) -> None:
        if at == first + number:
            raise error

    api.before_answer = fail


class PausingStore(Store):
    """A store whose worker sleeps before it commits, while something else happens."""

    meanwhile: Callable[[], Any] | None = None

    def commit(self, units: Any) -> Any:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return super().commit(units)


@pytest.fixture
def slow_store(store_url: str) -> Any:
    with PausingStore.open(store_url) as store:
        yield store


def test_a_failing_deployment_stops_no_other(api: FakeApi, store: Store) -> None:
    good, bad, better = api.deploy(1), api.deploy(2), api.deploy(3)
    for deployment in (good, bad, better):
        api.emit(deployment, 120)

    def fail(number: int) -> None:
        if api.requests[number][0] == bad.deploy_id:
            raise RateLimitedError("slow down", retry_after_seconds=30)

    api.before_answer = fail
    report = harvest_all(api, store)
    assert [result.deploy_id for result in report.failed] == [bad.deploy_id]
    for deployment in (good, better):
        assert_holds(store, deployment)


def test_a_failure_names_the_deployment_and_whether_to_try_again(api: FakeApi, store: Store) -> None:
    api.emit(bad := api.deploy(2), 1)
    failing_at(api, 0, RateLimitedError("slow down", retry_after_seconds=30))
    with pytest.raises(HarvestFailedError, match=bad.deploy_id) as caught:
        night(api, store)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.retryable, again.retry_after_seconds) == (True, 30)


def test_a_refusal_is_not_worth_another_attempt(api: FakeApi, store: Store) -> None:
    api.deploy(2)

    def refuse(number: int) -> None:
        raise RefusedError("no")

    api.before_answer = refuse
    with pytest.raises(HarvestFailedError) as caught:
        night(api, store)
    assert caught.value.retryable is False


def test_a_failed_harvest_leaves_its_record(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 120)
    failing_at(api, 1, RateLimitedError("slow down"))
    harvest_all(api, store)
    (row,) = harvest_rows(store, deployment.deploy_id)
    assert (row["status"], row["requests"]) == ("failed", 2)
    assert "slow down" in row["error"]
    assert row["finished_at"] is not None


def test_refused_credentials_end_the_batch(api: FakeApi, store: Store) -> None:
    for project_id in range(50):
        api.deploy(project_id)

    def refuse(number: int) -> None:
        raise CredentialsError("not accepted")

    api.before_answer = refuse
    report = harvest_all(api, store)
    assert len(api.requests) == 1
    assert len(report.failed) == 50


def test_what_was_read_before_a_failure_is_kept_and_not_read_again(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 2000)
    api.now += timedelta(days=20)
    failing_at(api, 15, RateLimitedError("slow down"))
    harvest_all(api, store, commit_rows=500, in_flight=1)
    kept = len(stored_insights(store, deployment.deploy_id))
    assert kept >= 1000
    api.before_answer = lambda number: None
    night(api, store)
    assert min(start for _, start, _ in api.requests) == kept - 1
    assert_holds(store, deployment)


def test_what_is_over_and_not_found_any_more_fails_no_night(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 150)
    night(api, store)
    api.stop(deployment, "Deleted")
    api.now += timedelta(days=1)

    def not_found(number: int) -> None:
        raise NotFoundError("no such deployment", api_errors=("No live deployment found",))

    api.before_answer = not_found
    night(api, store)
    night(api, store)
    assert api.requests == []
    assert_holds(store, deployment)


def test_a_running_deployment_that_is_not_found_is_a_failure(api: FakeApi, store: Store) -> None:
    api.deploy()

    def not_found(number: int) -> None:
        raise NotFoundError("no such project", api_errors=("Project not found",))

    api.before_answer = not_found
    (failed,) = harvest_all(api, store).failed
    assert isinstance(failed.error, NotFoundError)


def test_a_list_that_never_holds_still_is_given_up(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 9000)

    def remove(number: int) -> None:
        api.remove(deployment, 0)

    api.before_answer = remove
    report = harvest_all(api, store, in_flight=1)
    assert len(api.requests) < 400
    (failed,) = report.failed
    assert getattr(failed.error, "retryable", False)
    api.before_answer = lambda number: None
    night(api, store)
    assert_holds(store, deployment)


def test_a_slow_worker_overwrites_nothing_newer(
    api: FakeApi, slow_store: PausingStore, store_url: str
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 50)
    night(api, slow_store)

    def newer() -> None:
        api.score(deployment, 10, 0.75)
        api.emit(deployment, 60)
        with Store.open(store_url) as store:
            night(api, store)

    slow_store.meanwhile = newer
    night(api, slow_store)
    assert_holds(slow_store, deployment)
    assert deployment_row(slow_store, deployment.deploy_id)["last_position"] == 109


def test_a_slow_worker_brings_no_position_back(
    api: FakeApi, slow_store: PausingStore, store_url: str
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 300)
    night(api, slow_store)
    api.emit(deployment, 20)

    def newer() -> None:
        api.remove(deployment, 50, 40)
        with Store.open(store_url) as store:
            night(api, store)

    slow_store.meanwhile = newer
    night(api, slow_store)
    assert_holds(slow_store, deployment)


def test_a_harvest_that_another_one_overtook_reads_again(
    api: FakeApi, slow_store: PausingStore, store_url: str
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 300)

    def newer() -> None:
        api.remove(deployment, 0, 300)
        api.emit(deployment, 10)
        with Store.open(store_url) as store:
            night(api, store)

    slow_store.meanwhile = newer
    night(api, slow_store)
    assert_holds(slow_store, deployment)


def test_older_news_of_a_deployment_does_not_replace_newer(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    older, listed_at = api.list_live(), api.clock()
    api.stop(deployment)
    night(api, store)
    harvest(api, store, older, listed_at=listed_at, clock=api.clock)
    assert deployment_row(store, deployment.deploy_id)["status"] == "Stopped"


def test_two_harvests_at_once_store_every_insight_once(api: FakeApi, store: Store, store_url: str) -> None:
    deployments = [api.deploy(project_id) for project_id in range(3)]
    for deployment in deployments:
        api.emit(deployment, 2500)
    both_began = threading.Barrier(2)
    reports = []

    def one() -> None:
        with Store.open(store_url) as own:
            both_began.wait()
            reports.append(harvest_all(api, own, commit_rows=300))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for report in reports:
        report.raise_if_failed()
    for deployment in deployments:
        assert_holds(store, deployment)
    assert sum(report.inserted for report in reports) == 7500
