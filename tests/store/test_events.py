from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantconnect_provider.store import Store
from quantconnect_provider.store.events import (
    CRITICAL,
    DIED,
    RECOVERED,
    STALE,
    Event,
    Problem,
    list_open_events,
    open_events,
    record_event,
    resolve_events,
)
from quantconnect_provider.store.watch_tables import events

NOON = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


def problem(deploy_id: str = "L-1", kind: str = STALE, message: str = "No sign of life.") -> Problem:
    return Problem(7, deploy_id, kind, CRITICAL, message, {"minutes": 90})


def stored(store: Store) -> list[tuple[str, bool]]:
    with store.read() as connection:
        rows = connection.execute(events.select().order_by(events.c.event_id))
        return [(row.event_id, row.resolved_at is None) for row in rows]


def test_a_problem_opens_one_event_however_often_it_is_seen(store: Store) -> None:
    (first,) = open_events(store, [problem()], NOON)
    assert open_events(store, [problem(message="Still none.")], NOON + MINUTE) == []
    (event,) = list_open_events(store)
    assert event.event_id == first.event_id == "L-1-stale-1"
    assert (event.message, event.detail) == ("No sign of life.", {"minutes": 90})
    assert (event.opened_at, event.observed_at) == (NOON, NOON + MINUTE)


def test_a_problem_that_comes_back_is_a_new_event(store: Store) -> None:
    open_events(store, [problem()], NOON)
    (resolved,) = resolve_events(store, [("L-1", STALE)], NOON + MINUTE)
    assert resolved.resolved_at == NOON + MINUTE
    assert resolve_events(store, [("L-1", STALE)], NOON + 2 * MINUTE) == []
    (again,) = open_events(store, [problem()], NOON + 3 * MINUTE)
    assert again.event_id == "L-1-stale-2"


def test_each_deployment_and_kind_has_events_of_its_own(store: Store) -> None:
    opened = open_events(store, [problem(), problem("L-2"), problem(kind=DIED), problem()], NOON)
    assert [event.event_id for event in opened] == ["L-1-stale-1", "L-2-stale-1", "L-1-died-1"]
    resolve_events(store, [("L-1", STALE)], NOON)
    assert [event.event_id for event in list_open_events(store)] == ["L-1-died-1", "L-2-stale-1"]


def test_the_end_of_a_death_is_recorded_as_recovery(store: Store) -> None:
    open_events(store, [problem(kind=DIED)], NOON)
    resolve_events(store, [("L-1", DIED)], NOON + MINUTE)
    assert stored(store) == [("L-1-died-1", False), (f"L-1-{RECOVERED}-1", False)]


def test_a_clock_that_is_set_back_ends_nothing_before_it_began(store: Store) -> None:
    open_events(store, [problem()], NOON)
    open_events(store, [problem()], NOON - MINUTE)
    (event,) = resolve_events(store, [("L-1", STALE)], NOON - 2 * MINUTE)
    assert (event.observed_at, event.resolved_at) == (NOON, NOON)


def test_an_id_of_ones_own_is_recorded_once(store: Store) -> None:
    assert record_event(store, "report-1", problem(), NOON)
    assert not record_event(store, "report-1", problem(), NOON + MINUTE)
    assert stored(store) == [("report-1", False)]


def test_watches_at_the_same_moment_open_and_resolve_once(store_url: str) -> None:
    problems = [problem(f"L-{number}", kind=DIED) for number in range(20)]
    begin = threading.Barrier(4)
    opened: list[Event] = []
    resolved: list[Event] = []

    def watch(store: Store) -> None:
        begin.wait()
        opened.extend(open_events(store, problems, NOON))
        begin.wait()
        resolved.extend(resolve_events(store, [each.key for each in problems], NOON + MINUTE))

    with ExitStack() as stack:
        stores = [stack.enter_context(Store.open(store_url)) for _ in range(4)]
        threads = [threading.Thread(target=watch, args=[each]) for each in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(event.event_id for event in opened) == sorted(f"L-{n}-died-1" for n in range(20))
        assert len(resolved) == 20
        assert len(stored(stores[0])) == 40


@given(seen=st.lists(st.sets(st.sampled_from(["L-1", "L-2", "L-3"])), max_size=8))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_events_count_how_often_each_problem_began(store: Store, seen: list[set[str]]) -> None:
    with store.engine.begin() as connection:
        connection.execute(events.delete())
    began = dict.fromkeys(("L-1", "L-2", "L-3"), 0)
    before: set[str] = set()
    for number, now in enumerate(seen):
        at = NOON + number * MINUTE
        resolve_events(store, [(each, STALE) for each in before - now], at)
        open_events(store, [problem(each) for each in now], at)
        for each in now - before:
            began[each] += 1
        before = now
    expected = {f"{each}-stale-{n}" for each, count in began.items() for n in range(1, count + 1)}
    assert {event_id for event_id, _ in stored(store)} == expected
    assert {event.deploy_id for event in list_open_events(store)} == before
