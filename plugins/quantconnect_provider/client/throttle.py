"""How many requests a minute one connection sends: evenly spaced slots, fewer when the API refuses."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Protocol

_SAFETY = 0.98  # a little under the allowance, since requests do not arrive evenly spaced
_BACK_OFF = 0.5
_SPEED_UP = 1.15  # each minute without a refusal
_SLOWEST_PER_MINUTE = 6.0
_FIRST_GUESS_PER_MINUTE = 120.0  # when the very first request is refused
_LONGEST_PAUSE_SECONDS = 60.0
_WINDOW_SECONDS = 60.0


class RequestSlots(Protocol):
    """Hands out evenly spaced slots; several workers may share them."""

    def reserve(self, requests_per_minute: float) -> float:
        """Take the next slot and return the seconds from now until it."""


class LocalSlots:
    """Slots within this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_slot = 0.0

    def reserve(self, requests_per_minute: float) -> float:
        """Take the next slot and return the seconds from now until it."""
        with self._lock:
            now = time.monotonic()
            slot = max(now, self._next_slot)
            self._next_slot = slot + 60.0 / requests_per_minute
            return slot - now


class Throttle:
    """Limits the rate of requests; shared by all threads that use one connection.

    With *requests_per_minute* given, requests are spaced evenly below it. Without, nothing is spaced until
    the API refuses a request. After a refusal all requests pause for as long as the API asked (or for a
    growing time), then a single one probes whether the API serves again. From there on the rate is half of
    what it was, but not below what the API served in the last minute, and rises again minute by minute.
    """

    def __init__(self, requests_per_minute: float | None = None, slots: RequestSlots | None = None) -> None:
        self._configured = requests_per_minute * _SAFETY if requests_per_minute else None
        self._slots = slots or LocalSlots()
        self._learned: float | None = None
        self._changed = threading.Condition()
        self._paused_until = 0.0
        self._refusals_in_a_row = 0
        self._probing = False
        self._granted_at: deque[float] = deque()
        self._resumed_at: float | None = None
        self._last_change = 0.0

    @property
    def requests_per_minute(self) -> float | None:
        """The current limit; None while there is none."""
        rates = [rate for rate in (self._configured, self._learned) if rate]
        return min(rates) if rates else None

    def wait_turn(self) -> None:
        """Block until a request may be sent. Call granted(), refused() or failed() after each one."""
        with self._changed:
            while True:
                pause = self._paused_until - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                elif self._refusals_in_a_row and self._probing:
                    self._changed.wait()
                else:
                    break
            self._probing = self._refusals_in_a_row > 0
            rate = self.requests_per_minute
        if rate:
            time.sleep(self._slots.reserve(rate))

    def granted(self) -> None:
        """Note that the API served a request."""
        with self._changed:
            now = time.monotonic()
            if self._resumed_at is None or self._refusals_in_a_row:
                self._resumed_at = now
            self._granted_at.append(now)
            while self._granted_at[0] < now - _WINDOW_SECONDS:
                self._granted_at.popleft()
            if self._learned and now - self._last_change > _WINDOW_SECONDS:
                self._learned *= _SPEED_UP
                self._last_change = now
            self._refusals_in_a_row = 0
            self._release()

    def failed(self) -> None:
        """Note that a request failed for another reason than the rate."""
        with self._changed:
            self._release()

    def refused(self, retry_after_seconds: float | None) -> float:
        """Note that the API asked for fewer requests; return for how many seconds all requests pause."""
        with self._changed:
            now = time.monotonic()
            if now < self._paused_until:
                # It was sent before another one was refused: one refusal, not two.
                self._release()
                return self._paused_until - now
            self._refusals_in_a_row += 1
            pause = retry_after_seconds
            if pause is None:
                pause = min(2.0 ** (self._refusals_in_a_row - 1), _LONGEST_PAUSE_SECONDS)
            self._paused_until = now + pause
            if self._refusals_in_a_row == 1:
                self._learned = self._slower(now)
            self._last_change = now
            self._release()
            return pause

    def _slower(self, now: float) -> float:
        """Return the rate after a refusal, in requests a minute."""
        if self._resumed_at is None:
            return (self.requests_per_minute or _FIRST_GUESS_PER_MINUTE) * _BACK_OFF
        window = min(max(now - self._resumed_at, 1.0), _WINDOW_SECONDS)
        running = sum(1 for moment in self._granted_at if moment >= now - window) * 60.0 / window
        last_minute = sum(1 for moment in self._granted_at if moment >= now - _WINDOW_SECONDS)
        return max(running * _BACK_OFF, last_minute * _SAFETY, _SLOWEST_PER_MINUTE)

    def _release(self) -> None:
        self._probing = False
        self._changed.notify_all()
