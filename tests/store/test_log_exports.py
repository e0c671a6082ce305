"""Exports of logs: 45 in half an hour for all workers of an account together, on SQLite and PostgreSQL."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import text

from quantconnect_provider.client.log_exports import LOG_EXPORTS
from quantconnect_provider.store.database import open_engine
from quantconnect_provider.store.log_exports import SharedLogExports

PROCESS = """
import sys
from quantconnect_provider.store.log_exports import SharedLogExports
exports = SharedLogExports(*sys.argv[1:3])
print(sum(exports.take() == 0 for _ in range(30)))
"""


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def pass_time(store_url: str, key: str) -> Callable[[float], None]:
    """Let time pass for what was counted: as if it had been so many seconds earlier."""

    def move(seconds: float) -> None:
        engine = open_engine(store_url)
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE quantconnect_api_pace SET free_at = free_at - :s WHERE pace_key LIKE :key"),
                {"s": seconds, "key": f"{key}%"},
            )
        engine.dispose()

    return move


def taken(exports: SharedLogExports, count: int) -> int:
    return sum(exports.take() == 0 for _ in range(count))


def test_workers_that_follow_each_other_share_the_count(
    store_url: str, key: str, pass_time: Callable[[float], None]
) -> None:
    assert taken(SharedLogExports(store_url, key), 40) == 40
    pass_time(1000)
    second = SharedLogExports(store_url, key)
    assert taken(second, 10) == 5
    assert 800 < second.take() < 900
    pass_time(870)
    assert taken(SharedLogExports(store_url, key), 50) == 40


def test_threads_take_each_export_once(store_url: str, key: str) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(taken(SharedLogExports(store_url, key), 15)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == LOG_EXPORTS


def test_processes_take_each_export_once(store_url: str, key: str) -> None:
    command = [sys.executable, "-c", PROCESS, store_url, key]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sum(int(worker.communicate(timeout=60)[0]) for worker in workers) == LOG_EXPORTS


def test_accounts_do_not_share(store_url: str, key: str) -> None:
    assert taken(SharedLogExports(store_url, key), 50) == LOG_EXPORTS
    assert taken(SharedLogExports(store_url, f"other{key}"), 1) == 1


def test_a_database_clock_that_was_set_back_blocks_nothing(
    store_url: str, key: str, pass_time: Callable[[float], None]
) -> None:
    exports = SharedLogExports(store_url, key)
    assert taken(exports, 50) == LOG_EXPORTS
    pass_time(-86400)
    assert exports.take() == 0


def test_without_the_database_a_worker_counts_by_itself(key: str, caplog: pytest.LogCaptureFixture) -> None:
    exports = SharedLogExports("postgresql://quantconnect:canary@127.0.0.1:1/store", key)
    with caplog.at_level(logging.WARNING):
        assert taken(exports, 50) == LOG_EXPORTS
    assert "The store does not answer" in caplog.text
    assert "canary" not in caplog.text
