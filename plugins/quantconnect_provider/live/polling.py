"""How time passes for a loop that asks again and again: the interval, the clock and the pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]
"""Returns unix seconds, as ``time.time`` does."""

Sleep = Callable[[float], None]
"""Pauses for that many seconds, as ``time.sleep`` does."""


@dataclass(frozen=True)
class Polling:
    """How time passes for a loop of looks.

    :param interval_seconds: between two looks.
    """

    interval_seconds: float = 10.0
    clock: Clock = time.time
    sleep: Sleep = time.sleep

    def pause(self, until: float | None = None) -> None:
        """Sleep for an interval, or less if *until* (unix seconds) comes first."""
        left = self.interval_seconds if until is None else until - self.clock()
        self.sleep(max(0.0, min(self.interval_seconds, left)))
