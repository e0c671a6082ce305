"""The sandbox's own time, and what is due to happen in it."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable


class Clock:
    """A clock that can run faster than real time, stand still, or jump forward; it never goes back.

    :param start: unix seconds at which it starts; None starts at the real time
    :param speed: sandbox seconds for each real second; 0 stands still until :meth:`advance`
    """

    def __init__(self, start: float | None = None, speed: float = 1.0) -> None:
        self._base = time.time() if start is None else start
        self._base_real = time.monotonic()
        self.speed = speed

    def now(self) -> float:
        """Unix seconds in the sandbox."""
        return self._base + (time.monotonic() - self._base_real) * self.speed

    def advance(self, seconds: float) -> float:
        """Jump forward and return the new time; raises ValueError for a negative number."""
        if seconds < 0:
            raise ValueError(f"the clock cannot go back (seconds={seconds})")
        self._base += seconds
        return self.now()

    def set_speed(self, speed: float) -> None:
        """Run at another speed from now on."""
        if speed < 0:
            raise ValueError(f"the clock cannot run backwards (speed={speed})")
        self._base, self._base_real = self.now(), time.monotonic()
        self.speed = speed


class Schedule:
    """What will happen at which sandbox time; run lazily, in order, at the next request or verb."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()

    def at(self, when: float, action: Callable[[float], None]) -> None:
        """Have `action(when)` called once the clock has reached `when`."""
        heapq.heappush(self._heap, (when, next(self._order), action))

    def run(self, now: float) -> None:
        """Call everything that is due, each with the time it was due at (not with `now`)."""
        while self._heap and self._heap[0][0] <= now:
            when, _, action = heapq.heappop(self._heap)
            action(when)
