"""How many pages are worth asking for at the same time."""

from __future__ import annotations

import math
from collections import deque

_REMEMBERED = 32


class Concurrency:
    """Watches how long pages are waited for and how much work they are.

    While Python works on one page, others can be waited for: as many as one page's work fits into the wait.
    Threads beyond that only wait for each other, and keep the writer waiting too. The shortest wait of late
    counts, since the longer ones contain just that.

    :param limit: the answer at most.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waits: deque[float] = deque(maxlen=_REMEMBERED)
        self._work: deque[float] = deque(maxlen=_REMEMBERED)
        self.useful = limit

    def note(self, seconds: float, work_seconds: float) -> None:
        """Note that a page took *seconds*, of which *work_seconds* were spent working on it."""
        self._waits.append(max(seconds - work_seconds, 0.0))
        self._work.append(work_seconds)
        work = max(sum(self._work) / len(self._work), 1e-6)
        self.useful = min(self._limit, 1 + math.ceil(min(self._waits) / work))
