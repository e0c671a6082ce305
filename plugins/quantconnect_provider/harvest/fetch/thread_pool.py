"""Threads that fetch pages. The process can exit while they work."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class FetchPool:
    """Runs tasks on at most *size* daemon threads, in the order in which they came.

    Unlike those of ``concurrent.futures`` they do not delay the exit of the process: a request whose result
    is not needed any more may still be in its retries.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._busy = 0
        self._closed = False

    def submit(self, task: Callable[[], None]) -> None:
        """Run *task* soon; it must not raise."""
        with self._lock:
            if self._closed:
                return
            self._busy += 1
            start = self._busy > self._threads and self._threads < self._size
            if start:
                self._threads += 1
        self._tasks.put(task)
        if start:
            threading.Thread(target=self._work, name="quantconnect-fetch", daemon=True).start()

    def close(self) -> None:
        """Let the threads end after what they are doing; tasks that have not begun are dropped."""
        with self._lock:
            self._closed = True
            threads = self._threads
        for _ in range(threads):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            if not self._closed:
                task()
            with self._lock:
                self._busy -= 1
