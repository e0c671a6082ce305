from __future__ import annotations

import itertools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from quantconnect_provider.client.throttle import Throttle
from quantconnect_provider.store.database import open_engine
from quantconnect_provider.store.migrate import upgrade
from quantconnect_provider.store.rate_limit import SharedSlots, rate_limit_key, shared_slots

RATE = 600.0  # a minute: a slot each 100 ms, far more than a statement takes
SPACING = 60.0 / RATE
TOLERANCE = 0.05  # two clock readings around one statement
Worker = Callable[[], SharedSlots]


def slots(shared: SharedSlots, count: int, rate: float = RATE) -> list[float]:
    """The moments of the next slots; taken faster than they come, so that they queue up."""
    return [shared.reserve(rate) + time.monotonic() for _ in range(count)]


def closest(moments: Iterable[float]) -> float:
    return min(later - earlier for earlier, later in itertools.pairwise(sorted(moments)))


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def worker(store_url: str, key: str) -> Iterator[Worker]:
    """Makes the slots of one more worker on the same account."""
    made: list[SharedSlots] = []

    def make() -> SharedSlots:
        made.append(SharedSlots(store_url, key))
        return made[-1]

    yield make
    for shared in made:
        shared.close()


@contextmanager
def counted_leases() -> Iterator[list[str]]:
    seen: list[str] = []

    def count(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO quantconnect_api_pace"):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def test_slots_are_evenly_spaced(worker: Worker) -> None:
    taken = slots(worker(), 100)
    assert taken[-1] - taken[0] == pytest.approx(99 * SPACING, abs=0.1)


def test_two_workers_never_get_the_same_slot(worker: Worker) -> None:
    first, second = worker(), worker()
    taken = [moment for _ in range(60) for moment in (*slots(first, 1), *slots(second, 1))]
    assert closest(taken) > SPACING - TOLERANCE


def test_threads_of_one_worker_never_get_the_same_slot(worker: Worker) -> None:
    shared, taken = worker(), []
    threads = [threading.Thread(target=lambda: taken.extend(slots(shared, 40))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 160
    assert closest(taken) > SPACING - TOLERANCE


def test_accounts_do_not_wait_for_each_other(store_url: str, key: str, worker: Worker) -> None:
    slots(worker(), 200)
    other = SharedSlots(store_url, f"other {key}")
    assert other.reserve(RATE) < 0.05
    other.close()


def test_a_worker_with_a_wrong_clock_takes_its_turn(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = worker(), worker()
    before = slots(right, 100)
    with monkeypatch.context() as clock:
        true_time, true_monotonic = time.time, time.monotonic
        clock.setattr(time, "time", lambda: true_time() - 7200)
        clock.setattr(time, "monotonic", lambda: true_monotonic() + 7200)
        turn = wrong.reserve(RATE) + time.monotonic() - 7200
    # after what the other one took, its unused lease included
    assert before[-1] < turn < before[-1] + 1.0 + TOLERANCE


def test_a_dead_worker_takes_no_more_than_a_second_of_the_allowance_with_it(worker: Worker) -> None:
    last = slots(worker(), 500)[-1]
    assert slots(worker(), 1)[0] - last < 1.0 + SPACING + TOLERANCE


def test_a_busy_worker_asks_the_database_for_several_slots_at_a_time(worker: Worker) -> None:
    shared = worker()
    with counted_leases() as leases:
        slots(shared, 1000)
    assert len(leases) < 160


def test_the_first_requests_of_a_task_take_single_slots(worker: Worker) -> None:
    shared = worker()
    with counted_leases() as leases:
        slots(shared, 8)
    assert len(leases) == 8


def test_a_worker_that_pauses_takes_fewer_slots_ahead_afterwards(worker: Worker) -> None:
    shared, fast = worker(), 60 * RATE / 10
    with counted_leases() as before:
        ends = slots(shared, 100, fast)[-1]
    time.sleep(max(0.0, ends - time.monotonic()) + 0.5)
    with counted_leases() as after:
        slots(shared, 100, fast)
    assert len(after) > len(before)


def test_slots_that_were_never_taken_open_no_store(tmp_path: Path, key: str) -> None:
    SharedSlots(f"sqlite:///{tmp_path / 'store.db'}", key).close()
    assert list(tmp_path.iterdir()) == []


def test_a_slower_rate_holds_from_the_next_request_on(worker: Worker) -> None:
    shared = worker()
    slots(shared, 200)
    slower = slots(shared, 3, RATE / 10)
    assert slower[2] - slower[1] > 10 * SPACING - 4 * TOLERANCE


def test_a_client_waits_for_its_slot(worker: Worker) -> None:
    throttle = Throttle(1200, worker())
    started = time.monotonic()
    for _ in range(5):
        throttle.wait_turn()
        throttle.granted()
    assert time.monotonic() - started > 4 * 60 / 1200


def test_a_database_clock_that_was_set_back_does_not_stop_everything(
    store_url: str, key: str, worker: Worker
) -> None:
    engine = open_engine(store_url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO quantconnect_api_pace VALUES (:key, 9999999999)"),
            {"key": key},
        )
    engine.dispose()
    assert worker().reserve(RATE) <= 900


def test_without_the_database_a_worker_keeps_the_limit_by_itself(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    shared = SharedSlots("postgresql://quantconnect:canary@127.0.0.1:1/store", key)
    with caplog.at_level(logging.WARNING):
        taken = slots(shared, 20)
    assert closest(taken) > SPACING - TOLERANCE
    assert caplog.text.count("The store does not answer") == 1


def test_the_warning_shows_no_password(key: str, caplog: pytest.LogCaptureFixture) -> None:
    SharedSlots("postgresql://quantconnect:canary@127.0.0.1:1/store", key).reserve(RATE)
    assert "canary" not in caplog.text


def test_a_store_that_is_no_database_is_reported_in_the_same_way(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert SharedSlots("mysql://127.0.0.1/store", key).reserve(RATE) == pytest.approx(0, abs=0.1)
    assert "The store does not answer" in caplog.text


def test_clients_of_one_process_share_their_slots(tmp_path: Path, key: str) -> None:
    address = f"sqlite:///{tmp_path / 'store.db'}"
    assert shared_slots(address, key) is shared_slots(address, key)


def test_the_key_is_one_for_each_account_and_reveals_nothing() -> None:
    ours = rate_limit_key("https://www.quantconnect.com/api/v2", "123456")
    assert ours == rate_limit_key("https://www.quantconnect.com/api/v2/", "123456")
    assert ours != rate_limit_key("https://www.quantconnect.com/api/v2", "123457")
    assert "123456" not in ours
