"""Another program locks the store, or its server restarts: harvest and watch wait, say so, and go on."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from quantconnect_provider.harvest import Store
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.store.rate_limit import SharedSlots
from quantconnect_provider.store.store_errors import StoreError
from tests.harvest.contents import assert_holds
from tests.harvest.fake_api import FakeApi
from tests.harvest.nights import night
from tests.store.postgres import OwnServer
from tests.watch.room import Room, scenario

HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""
TRYING = "Trying again for up to"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@contextmanager
def locked(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the write lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        try:
            yield holder
        finally:
            holder.kill()


@contextmanager
def once_logged(words: str, act: Callable[[], object]) -> Iterator[None]:
    """Do *act* in another thread when a line with *words* is logged; that must happen within the block."""
    seen = threading.Event()

    class Notice(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if words in record.getMessage():
                seen.set()

    def wait() -> None:
        seen.wait(300)
        act()

    handler, thread = Notice(), threading.Thread(target=wait)
    logging.getLogger("quantconnect_provider").addHandler(handler)
    thread.start()
    try:
        yield
        assert seen.is_set(), f"nothing with {words!r} was logged"
    finally:
        seen.set()
        thread.join()
        logging.getLogger("quantconnect_provider").removeHandler(handler)


def test_a_harvest_waits_for_the_lock_and_says_so(api: FakeApi, file: Path) -> None:
    api.emit(deployment := api.deploy(), 50)
    with (
        Store.open(f"sqlite:///{file}") as store,
        locked(file) as holder,
        once_logged(TRYING, holder.kill),
    ):
        night(api, store)
        assert_holds(store, deployment)


def test_a_lock_that_stays_ends_in_an_error_that_names_the_store(api: FakeApi, file: Path) -> None:
    api.emit(api.deploy(), 50)
    with (
        Store.open(f"sqlite:///{file}", patience_seconds=1) as store,
        locked(file),
        pytest.raises(StoreError, match=f"{file} .*locked.*Another program holds the store's lock"),
    ):
        night(api, store)


def test_requests_go_on_while_the_store_is_locked(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    slots = SharedSlots(f"sqlite:///{file}", "key")
    with locked(file):
        assert slots.reserve(600.0) < 1
    slots.close()
    assert "The store does not answer" in caplog.text


@pytest.mark.environment
def test_a_minute_under_lock(api: FakeApi, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    api.emit(deployment := api.deploy(), 50)
    with Store.open(f"sqlite:///{file}") as store, locked(file) as holder:
        threading.Timer(60, holder.kill).start()
        night(api, store)
        assert_holds(store, deployment)
    assert 5 <= caplog.text.count(TRYING) <= 20


def test_a_server_that_restarts_in_the_middle_of_a_harvest(api: FakeApi, own_postgres: OwnServer) -> None:
    api.emit(deployment := api.deploy(), 3000)
    with Store.open(own_postgres.address) as store:
        api.before_answer = lambda number: own_postgres.stop() if number == 15 else None
        with once_logged(TRYING, own_postgres.start):
            night(api, store, commit_rows=300, in_flight=1)
        assert_holds(store, deployment)


def test_a_server_that_restarts_in_the_middle_of_a_watch(own_postgres: OwnServer) -> None:
    with Sandbox(scenario()) as sandbox, Store.open(own_postgres.address) as store:
        room = Room(sandbox, store)
        room.cycle()
        own_postgres.stop()
        with once_logged(TRYING, own_postgres.start):
            sandbox.set_status(room.deploy_id(), "RuntimeError")
            room.cycle()
        assert [kind for kind, *_ in room.events()] == ["died"]


def test_a_server_that_is_gone_ends_in_an_error_that_says_what_to_do(
    api: FakeApi, own_postgres: OwnServer
) -> None:
    api.emit(api.deploy(), 10)
    with Store.open(own_postgres.address, patience_seconds=1) as store:
        own_postgres.stop()
        with pytest.raises(StoreError, match="See that the database server runs"):
            night(api, store)
        own_postgres.start()
