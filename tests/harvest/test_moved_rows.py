"""The place from which a harvest goes on has moved, is refused, or cannot be read any more."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest

from quantconnect_provider.client.errors import RefusedError
from quantconnect_provider.harvest import Store
from quantconnect_provider.harvest.fetch.thread_pool import FetchPool
from tests.harvest.contents import assert_holds, stored_insights
from tests.harvest.fake_api import FakeApi, FakeDeployment
from tests.harvest.nights import harvest_all, night

MONTHS = timedelta(days=20)


def read_and_final(api: FakeApi, store: Store, count: int) -> FakeDeployment:
    """Return a deployment of which all is stored and nothing can change: only its end is read again."""
    deployment = api.deploy()
    api.emit(deployment, count, minutes=1)
    for index in range(count):
        api.score(deployment, index, 1.0)
    api.now += MONTHS
    night(api, store, full_pass_days=0)
    return deployment


@pytest.mark.parametrize("past_end", ["empty", "error", "clamp"])
@pytest.mark.parametrize("kept", [0, 30, 220])
def test_a_list_that_became_shorter_is_found_from_its_end(past_end: str, kept: int, store: Store) -> None:
    api = FakeApi(past_end=past_end)
    deployment = read_and_final(api, store, 300)
    api.remove(deployment, kept, 300 - kept)
    night(api, store, full_pass_days=0)
    placed = [
        row for row in stored_insights(store, deployment.deploy_id).values() if row["position"] is not None
    ]
    assert len(placed) == kept
    assert_holds(store, deployment)


def test_a_last_row_that_cannot_be_read_any_more_hides_nothing_after_it(api: FakeApi, store: Store) -> None:
    deployment = read_and_final(api, store, 150)
    deployment.unreadable.add(deployment.ids[-1])
    api.emit(deployment, 40)
    night(api, store, full_pass_days=0)
    assert_holds(store, deployment)


def test_a_row_that_cannot_be_read_is_named_once_however_often_it_is_asked_for(
    api: FakeApi, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 20, never=True)
    api.emit(deployment, 300, minutes=1)
    night(api, store)
    deployment.unreadable.add(deployment.ids[5])
    api.remove(deployment, 310, 10)
    api.emit(deployment, 5)
    caplog.clear()
    night(api, store)
    assert [request[1] for request in api.requests].count(0) == 2
    assert caplog.text.count("position 5: the row cannot be read") == 1
    assert_holds(store, deployment)


def test_an_api_that_refuses_even_the_beginning_has_not_lost_rows(api: FakeApi, store: Store) -> None:
    deployment = read_and_final(api, store, 50)
    api.remove(deployment, 0, 10)

    def refuse(number: int) -> None:
        if api.requests[number][1] == 0:
            raise RefusedError("Not now.")

    api.before_answer = refuse
    (failed,) = harvest_all(api, store, full_pass_days=0).failed
    assert "Not now." in str(failed.error)
    stored = stored_insights(store, deployment.deploy_id)
    assert [row["position"] for row in stored.values()].count(None) == 0


def test_a_page_that_is_refused_once_is_asked_for_once_more(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 350)

    def refuse(number: int) -> None:
        if number == 2:
            raise RefusedError("start is past the end.")

    api.before_answer = refuse
    night(api, store, in_flight=1)
    assert_holds(store, deployment)


def test_unreadable_rows_that_are_read_again_after_a_shift_count_once(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    deployment.unreadable = {row.insight_id for row in api.emit(deployment, 8_000)}
    api.emit(deployment, 50)

    def refuse(number: int) -> None:
        if number in (75, 76):  # a page near the end of those rows, and its second try: a shift
            raise RefusedError("start is past the end.")

    api.before_answer = refuse
    night(api, store, in_flight=1)
    assert_holds(store, deployment)


def test_a_deployment_that_ended_at_an_unknown_time_is_read_until_it_is_final(
    api: FakeApi, store: Store
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 20)
    night(api, store)
    deployment.status = "Stopped"
    night(api, store)
    api.now += MONTHS
    night(api, store)
    report = night(api, store)
    assert report.results[0].status == "settled"
    assert api.requests == []
    assert_holds(store, deployment)


def test_nothing_is_requested_after_the_harvest_is_over() -> None:
    pool, ran = FetchPool(2), Event()
    pool.close()
    pool.submit(ran.set)
    assert not ran.wait(0.2)
