"""What a deployment was worth over time, and the charts that show it."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple


class Worth(NamedTuple):
    """Account value from `at` (unix seconds) on, in the account's currency."""

    at: float
    equity: float
    long: float
    short: float


class Candle(NamedTuple):
    """Equity within one slot of time that begins at `at`, and the exposure at its end."""

    at: int
    open: float
    high: float
    low: float
    close: float
    last: Worth


class EquityCurve:
    """Every change of a deployment's worth."""

    def __init__(self) -> None:
        self._changes: list[Worth] = []

    def record(self, worth: Worth) -> None:
        """Note what the account is worth from now on."""
        self._changes.append(worth)

    def candles(self, start: int, end: int, count: int) -> list[Candle]:
        """Divide the time from `start` to `end` (unix seconds, exclusive) into at most `count` slots.

        The slots before the first change are left out.
        """
        times = [change.at for change in self._changes]
        step = max(1, -(-(end - start) // max(count, 1)))
        candles = []
        for at in range(start, end, step):
            low, high = bisect_right(times, at), bisect_right(times, min(at + step, end) - 1e-6)
            within = self._changes[max(low - 1, 0) : high]
            if within:
                values = [worth.equity for worth in within]
                candles.append(Candle(at, values[0], max(values), min(values), values[-1], within[-1]))
        return candles


def drawdowns(candles: list[Candle]) -> list[float]:
    """Return how far below its highest value so far equity closed in each slot, percent, zero or negative."""
    peak, found = 0.0, []
    for candle in candles:
        peak = max(peak, candle.high)
        found.append((candle.close / peak - 1) * 100 if peak > 0 else 0.0)
    return found
