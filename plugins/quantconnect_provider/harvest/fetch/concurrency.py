"""How many pages are worth asking for at the same time."""

from __future__ import annotations

import math
from collections import deque

_REMEMBERED = 32


class Concurrency:
    """Watches how long pages are waited for and how much work they are.

    While Python works on one page, others can be waited for: as many as one page's work fits into the wait.
    More threads than that only wait for each other, and slow down the writer. The shortest recent wait
    counts, since longer ones contain time spent waiting for other threads.

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
