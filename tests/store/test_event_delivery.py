"""Claims of events for delivery: one at a time, and only what is news."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone

import pytest

from quantconnect_provider.store import Store
from quantconnect_provider.store.event_delivery import (
    ATTEMPTS_AT_MOST,
    NEWS_FOR,
    claim_undelivered,
    count_messages,
    mark_delivered,
    mark_notified,
)
from quantconnect_provider.store.events import CRITICAL, DIED, Event, Problem, open_events

NOON = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


def happens(store: Store, *deploy_ids: str) -> None:
    open_events(store, [Problem(7, each, DIED, CRITICAL, "It died.") for each in deploy_ids], NOON)


def test_two_deliveries_at_the_same_time_claim_each_event_once(store_url: str) -> None:
    ids = [f"L-{number:03}" for number in range(200)]
    begin = threading.Barrier(4)
    claimed: list[Event] = []

    def claim(store: Store) -> None:
        begin.wait()
        claimed.extend(claim_undelivered(store, NOON + MINUTE))

    with ExitStack() as stack:
        stores = [stack.enter_context(Store.open(store_url)) for _ in range(begin.parties)]
        happens(stores[0], *ids)
        threads = [threading.Thread(target=claim, args=(each,)) for each in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(event.deploy_id for event in claimed) == ids


def test_a_claim_ends_after_five_minutes(store: Store) -> None:
    happens(store, "L-1")
    assert len(claim_undelivered(store, NOON)) == 1
    assert claim_undelivered(store, NOON + 4 * MINUTE) == []
    assert len(claim_undelivered(store, NOON + 5 * MINUTE)) == 1


def test_a_clock_that_is_set_back_keeps_no_event_from_delivery(store: Store) -> None:
    happens(store, "L-1")
    assert len(claim_undelivered(store, NOON + 60 * MINUTE)) == 1
    assert len(claim_undelivered(store, NOON)) == 1


def test_who_asked_a_moment_earlier_and_came_later_gets_nothing(store: Store) -> None:
    happens(store, "L-1")
    assert len(claim_undelivered(store, NOON + MINUTE)) == 1
    assert claim_undelivered(store, NOON) == []


def test_attempts_end(store: Store) -> None:
    happens(store, "L-1")
    claims = [claim_undelivered(store, NOON + 5 * number * MINUTE) for number in range(ATTEMPTS_AT_MOST + 1)]
    assert [len(each) for each in claims] == [1] * ATTEMPTS_AT_MOST + [0]


def test_old_events_are_not_delivered(store: Store) -> None:
    happens(store, "L-1")
    assert claim_undelivered(store, NOON + NEWS_FOR) == []


def test_an_event_that_one_notifier_has_delivered_says_so(store: Store) -> None:
    happens(store, "L-1")
    (event,) = claim_undelivered(store, NOON)
    for notifier in ("smtp", "http", "smtp"):
        mark_delivered(store, event, notifier)
    (again,) = claim_undelivered(store, NOON + 5 * MINUTE)
    assert again.delivered_to == ["http", "smtp"]


@pytest.mark.parametrize(("since", "count"), [(NOON, 2), (NOON + 2 * MINUTE, 1), (NOON + 3 * MINUTE, 0)])
def test_events_of_one_message_count_once(store: Store, since: datetime, count: int) -> None:
    happens(store, "L-1", "L-2", "L-3")
    mark_notified(store, ["L-1-died-1", "L-2-died-1"], NOON + MINUTE)
    mark_notified(store, ["L-3-died-1"], NOON + 3 * MINUTE)
    assert count_messages(store, since) == count
    assert claim_undelivered(store, NOON + MINUTE) == []
