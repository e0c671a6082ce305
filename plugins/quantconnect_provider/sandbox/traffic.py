"""How many requests came in, when, what became of them, and which are too many."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict, deque
from typing import Any

import msgspec

from quantconnect_provider.sandbox.answers import Params
from quantconnect_provider.sandbox.settings import RateLimit

KEPT = 200_000
"""How many requests the log remembers; the counters remember all."""

SHOWN = ("projectId", "deployId", "algorithmId", "compileId", "nodeId", "status", "start", "end", "startLine",
         "endLine")  # fmt: skip


class LimitWindow:
    """The rate limit's memory; real time, not the sandbox's."""

    def __init__(self, settings: RateLimit) -> None:
        self.settings = settings
        self._times: deque[float] = deque()
        self._opened = -math.inf

    def refuse(self) -> float | None:
        """Count a request; None lets it through, else the seconds after which one would be."""
        now, limit = time.monotonic(), self.settings
        if limit.window == "fixed":
            if now - self._opened >= limit.per_seconds:
                self._opened = now
                self._times.clear()
        else:
            while self._times and now - self._times[0] >= limit.per_seconds:
                self._times.popleft()
        full = len(self._times) >= limit.requests
        if not full or limit.count_refused:
            self._times.append(now)
        if not full:
            return None
        oldest = self._opened if limit.window == "fixed" else self._times[-limit.requests]
        return max(0.0, oldest + limit.per_seconds - now)


class LoggedRequest(msgspec.Struct):
    """A request: when (unix seconds, real time), what was asked (never a credential), what became of it.

    `outcome` is ``answered``, ``error`` (success false), ``refused`` (rate limit) or the fault's name.
    """

    number: int
    at: float
    method: str
    endpoint: str
    params: dict[str, Any]
    outcome: str = "pending"
    errors: list[str] = []
    user_agent: str = ""


class RequestLog:
    """Every request to the API since the sandbox started or the log was cleared."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self.entries: deque[LoggedRequest] = deque(maxlen=KEPT)
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._number = 0
        self._rates = {"received": _Peak(), "let_through": _Peak()}

    def begin(self, method: str, endpoint: str, params: Params, user_agent: str) -> LoggedRequest:
        """Log a request that has just arrived."""
        self._number += 1
        shown = {name: params.fields[name] for name in SHOWN if name in params.fields}
        entry = LoggedRequest(self._number, time.time(), method, endpoint, shown, user_agent=user_agent)
        self.entries.append(entry)
        self._counts[endpoint]["received"] += 1
        self._rates["received"].count()
        return entry

    def let_through(self) -> None:
        """Note that the request in hand was not refused by the rate limit."""
        self._rates["let_through"].count()

    def end(self, entry: LoggedRequest, outcome: str, errors: list[str] | None = None) -> None:
        """Log what became of a request."""
        entry.outcome = outcome
        if errors:
            entry.errors = errors
        self._counts[entry.endpoint][outcome] += 1

    def counters(self) -> dict[str, Any]:
        """Return totals, totals by endpoint, and the most requests within any 60 seconds."""
        totals: Counter[str] = sum(self._counts.values(), Counter())
        return {
            "requests": self._number,
            "refused": totals["refused"],
            "peak_per_minute": self._rates["received"].peak,
            "peak_let_through_per_minute": self._rates["let_through"].peak,
            "outcomes": {name: count for name, count in totals.items() if name != "received"},
            "endpoints": {endpoint: dict(counts) for endpoint, counts in self._counts.items()},
        }


class _Peak:
    """The most events within any 60 seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self.peak = 0

    def count(self) -> None:
        now = time.monotonic()
        self._times.append(now)
        while now - self._times[0] >= 60:
            self._times.popleft()
        self.peak = max(self.peak, len(self._times))
