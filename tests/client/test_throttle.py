"""Keeping below a rate that is given, and finding one that is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from quantconnect_provider.client import QuantConnectClient, RetrySettings, Throttle
from tests.client.scripted import Asked, Reply, ScriptedServer

EMPTY = Reply(body={"success": True, "live": []})


class Limit:
    """Refuses more than *allowed* requests in each period of *seconds*."""

    def __init__(self, allowed: int, seconds: float, headers: dict[str, str] | None = None) -> None:
        self.allowed, self.seconds, self.headers = allowed, seconds, headers or {}
        self.lock = threading.Lock()
        self.started = time.monotonic()
        self.served = self.refused = 0

    def __call__(self, asked: Asked) -> Reply:
        with self.lock:
            if time.monotonic() - self.started > self.seconds:
                self.started, self.served = time.monotonic(), 0
            self.served += 1
            if self.served > self.allowed:
                self.refused += 1
                return Reply(status=429, headers=self.headers)
            return EMPTY


def test_a_given_rate_is_kept_by_all_threads_together(
    server: ScriptedServer, make_client: Callable[..., QuantConnectClient]
) -> None:
    server.default = lambda asked: EMPTY
    client = make_client(requests_per_minute=1200)
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.list_live(), range(21)))
    took = time.monotonic() - started
    assert took >= 20 * 60 / 1200


def test_one_refusal_stops_every_thread_and_a_single_probe_goes_first(
    server: ScriptedServer, make_client: Callable[..., QuantConnectClient]
) -> None:
    limit = Limit(allowed=10, seconds=1.0, headers={"Retry-After": "1"})
    server.default = limit
    client = make_client(retry=RetrySettings(rate_limited_seconds=30))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.list_live(), range(30)))
    assert limit.refused <= 4 * 2  # at most those that were under way when the limit was met


def test_without_retry_after_the_pause_grows_until_a_probe_is_served(
    server: ScriptedServer, make_client: Callable[..., QuantConnectClient]
) -> None:
    server.script(Reply(status=429), Reply(status=429), EMPTY)
    started = time.monotonic()
    make_client(retry=RetrySettings(rate_limited_seconds=30)).list_live()
    assert time.monotonic() - started >= 3.0  # 1 s, then 2 s


def test_a_stray_refusal_does_not_slow_down_for_good() -> None:
    throttle = Throttle()
    for _ in range(200):
        throttle.wait_turn()
        throttle.granted()
    throttle.refused(0.0)
    assert throttle.requests_per_minute is not None
    assert throttle.requests_per_minute >= 190


def test_a_failed_probe_lets_the_next_one_go() -> None:
    throttle = Throttle()
    throttle.wait_turn()
    throttle.refused(0.01)
    throttle.wait_turn()
    throttle.failed()
    waiting = threading.Thread(target=throttle.wait_turn, daemon=True)
    waiting.start()
    waiting.join(2)
    assert not waiting.is_alive()


def test_while_a_probe_is_under_way_the_others_wait() -> None:
    throttle = Throttle()
    throttle.wait_turn()
    throttle.refused(0.01)
    throttle.wait_turn()
    waiting = threading.Thread(target=throttle.wait_turn, daemon=True)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    throttle.granted()
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_rate_that_was_found_rises_again_when_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantconnect_provider.client.throttle._WINDOW_SECONDS", 0.1)
    throttle = Throttle()
    throttle.wait_turn()
    throttle.refused(0.01)
    found = throttle.requests_per_minute
    time.sleep(0.15)
    throttle.granted()
    assert found is not None
    assert (throttle.requests_per_minute or 0) > found
