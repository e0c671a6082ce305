"""How many requests came in, when, how they were answered, and which are too many."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, defaultdict, deque
from typing import Any

import msgspec

from quantconnect_provider.sandbox.answers import Params
from quantconnect_provider.sandbox.api_spec import RateLimit

KEPT = 100_000
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
    """A request: when (unix seconds, real time), what was asked (never a credential), the outcome.

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
    """Every request to the API since the sandbox started or the log was cleared; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._entries: deque[LoggedRequest] = deque(maxlen=KEPT)
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._number = 0
        self._rates = {"received": _Peak(), "let_through": _Peak()}

    def begin(self, method: str, endpoint: str, params: Params, user_agent: str) -> LoggedRequest:
        """Log a request that has just arrived."""
        shown = {name: params.fields[name] for name in SHOWN if name in params.fields}
        with self._lock:
            self._number += 1
            entry = LoggedRequest(self._number, time.time(), method, endpoint, shown, user_agent=user_agent)
            self._entries.append(entry)
            self._counts[endpoint]["received"] += 1
            self._rates["received"].count()
            return entry

    def let_through(self) -> None:
        """Note that the request in hand was not refused by the rate limit."""
        self._rates["let_through"].count()

    def end(self, entry: LoggedRequest, outcome: str, errors: list[str] | None = None) -> None:
        """Log the outcome of a request."""
        with self._lock:
            entry.outcome = outcome
            entry.errors = errors or []
            self._counts[entry.endpoint][outcome] += 1

    def found(self, endpoint: str | None, after: int) -> list[LoggedRequest]:
        """List the requests with a number above `after`, of one endpoint or all."""
        with self._lock:
            entries = list(self._entries)
        return [entry for entry in entries if entry.number > after and endpoint in (None, entry.endpoint)]

    def counters(self) -> dict[str, Any]:
        """Return totals, totals by endpoint, and the most requests within any 60 seconds."""
        with self._lock:
            counts = {endpoint: dict(found) for endpoint, found in self._counts.items()}
        totals: Counter[str] = sum((Counter(found) for found in counts.values()), Counter())
        return {
            "requests": self._number,
            "refused": totals["refused"],
            "peak_per_minute": self._rates["received"].peak,
            "peak_let_through_per_minute": self._rates["let_through"].peak,
            "outcomes": {name: count for name, count in totals.items() if name != "received"},
            "endpoints": counts,
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
