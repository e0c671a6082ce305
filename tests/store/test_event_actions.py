"""Claims of events: once each, however many guards run."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone

from quantconnect_provider.store import Store
from quantconnect_provider.store.event_actions import (
    Candidate,
    Claim,
    PastAction,
    claim_events,
    note_run,
    stored_projects,
    unseen_claims,
)
from quantconnect_provider.store.events import (
    CRITICAL,
    DIED,
    DRAWDOWN,
    STALE,
    Problem,
    list_open_events,
    open_events,
    resolve_events,
)
from quantconnect_provider.store.schema import deployments
from quantconnect_provider.store.watch_tables import watched

NOON = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def happens(store: Store, kind: str, *deploy_ids: str, project_id: int = 7) -> None:
    open_events(store, [Problem(project_id, each, kind, CRITICAL, "It is.") for each in deploy_ids], NOON)


def claim_all(events: Sequence[Candidate], history: Sequence[PastAction]) -> list[Claim]:
    return [Claim(each.event_id, "redeploy") for each in events if each.acted_at is None]


def seen_by_a_guard(store: Store) -> tuple[list[Candidate], list[PastAction]]:
    seen: list[tuple[list[Candidate], list[PastAction]]] = []

    def look(events: Sequence[Candidate], history: Sequence[PastAction]) -> list[Claim]:
        seen.append((list(events), list(history)))
        return []

    assert claim_events(store, look, NOON) == []
    return seen[-1]


def test_guards_at_the_same_moment_claim_each_event_once(store_url: str) -> None:
    ids = [f"L-{number}" for number in range(20)]
    begin = threading.Barrier(4)
    claimed: list[Claim] = []

    def guard(store: Store) -> None:
        begin.wait()
        claimed.extend(claim_events(store, claim_all, NOON + HOUR))

    with ExitStack() as stack:
        stores = [stack.enter_context(Store.open(store_url)) for _ in range(4)]
        happens(stores[0], DIED, *ids)
        threads = [threading.Thread(target=guard, args=[each]) for each in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(each.event_id for each in claimed) == sorted(f"{each}-died-1" for each in ids)


def test_a_guard_waits_for_the_one_that_decides_and_sees_its_claim(store_url: str) -> None:
    second_decides = threading.Event()
    claimed: list[Claim] = []

    def first(events: Sequence[Candidate], history: Sequence[PastAction]) -> list[Claim]:
        other.start()
        second_decides.wait(0.5)  # longer than it takes where nothing holds it up
        return claim_all(events, history)[:1]

    def second(events: Sequence[Candidate], history: Sequence[PastAction]) -> list[Claim]:
        second_decides.set()
        return [] if history else claim_all(events, history)[-1:]

    with Store.open(store_url) as one, Store.open(store_url) as another:
        happens(one, DIED, "L-1", "L-2", "L-3")
        other = threading.Thread(target=lambda: claimed.extend(claim_events(another, second, NOON + HOUR)))
        claimed.extend(claim_events(one, first, NOON + HOUR))
        other.join()
    assert [each.event_id for each in claimed] == ["L-1-died-1"]


def test_what_a_guard_sees_of_an_event(store: Store) -> None:
    rows = [("L-1", 1, "PaperBrokerage"), ("L-2", 2, "TradierBrokerage"), ("L-3", None, None)]
    with store.engine.begin() as connection:
        for deploy_id, hour, brokerage in rows:
            launched_at = NOON + hour * HOUR if hour else None
            known = {"project_id": 7, "brokerage": brokerage, "launched_at": launched_at, "observed_at": NOON}
            connection.execute(deployments.insert().values(deploy_id=deploy_id, **known))
        equity = {
            "status": "Running",
            "observed_at": NOON,
            "is_known": True,
            "equity": 75.0,
            "peak_equity": 100.0,
        }
        connection.execute(watched.insert().values(deploy_id="L-2", project_id=7, **equity))
    happens(store, DRAWDOWN, "L-2")
    happens(store, DIED, "L-9", project_id=9)
    happens(store, STALE, "L-2")
    found, history = seen_by_a_guard(store)
    assert [(each.event_id, each.newest_deploy_id, each.brokerage, each.drawdown) for each in found] == [
        ("L-2-drawdown-1", "L-2", "TradierBrokerage", 0.25),
        ("L-9-died-1", None, None, None),
    ]
    assert history == []
    assert stored_projects(store, {7, 9}) == {7}


def test_a_claim_is_kept_in_the_history_and_never_made_again(store: Store) -> None:
    happens(store, DIED, "L-1")
    assert claim_events(store, claim_all, NOON + HOUR) == [Claim("L-1-died-1", "redeploy")]
    again = claim_events(store, lambda events, _: [Claim(each.event_id, "stop") for each in events], NOON)
    assert again == []
    happens(store, DIED, "L-2")
    found, history = seen_by_a_guard(store)
    assert [(each.event_id, each.action) for each in found] == [
        ("L-1-died-1", "redeploy"),
        ("L-2-died-1", None),
    ]
    assert history == [PastAction("L-1-died-1", 7, "L-1", "redeploy", NOON + HOUR)]


def test_a_resolved_event_is_not_claimed(store: Store) -> None:
    happens(store, DIED, "L-1")

    def resolve_meanwhile(events: Sequence[Candidate], history: Sequence[PastAction]) -> list[Claim]:
        return [Claim("L-1-died-1", "redeploy")]

    resolve_events(store, [("L-1", DIED)], NOON)
    assert claim_events(store, resolve_meanwhile, NOON) == []


def test_a_claim_is_open_until_its_run_is_seen(store: Store) -> None:
    happens(store, DIED, "L-1", "L-2")
    claim_events(store, claim_all, NOON + HOUR)
    resolve_events(store, [("L-2", DIED)], NOON + HOUR)
    assert [each.event_id for each in unseen_claims(store, NOON)] == ["L-1-died-1", "L-2-died-1"]
    assert unseen_claims(store, NOON + HOUR) == []
    note_run(store, "L-1-died-1", "guard__L-1-died-1")
    note_run(store, "L-1-died-1", "another")
    assert [each.event_id for each in unseen_claims(store, NOON)] == ["L-2-died-1"]
    assert [each.action_run_id for each in list_open_events(store)] == ["guard__L-1-died-1"]
    assert seen_by_a_guard(store)[0] == []
