"""How many exports of logs QuantConnect allows, and the count of them."""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from quantconnect_provider.client.endpoints import Endpoint
from quantconnect_provider.client.errors import RateLimitedError

LOG_EXPORTS = 45
LOG_EXPORT_SECONDS = 1800.0


class LogExportSlots(Protocol):
    """Hands out the exports of logs that an account may make; several workers may share them."""

    def take(self) -> float:
        """Take one export, and return 0; if none is left, return the seconds until one is."""


class LocalLogExports:
    """Exports of logs within this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: deque[float] = deque()

    def take(self) -> float:
        """Take one export, and return 0; if none is left, return the seconds until one is."""
        with self._lock:
            now = time.monotonic()
            while self._sent and self._sent[0] <= now - LOG_EXPORT_SECONDS:
                self._sent.popleft()
            if len(self._sent) >= LOG_EXPORTS:
                return self._sent[0] + LOG_EXPORT_SECONDS - now
            self._sent.append(now)
            return 0.0


class LogExportLimit:
    """Keeps to the 45 exports of logs that QuantConnect allows an account in 30 minutes.

    :param make_slots: makes what the exports are counted with, at the first one.
    """

    def __init__(self, make_slots: Callable[[], LogExportSlots] = LocalLogExports) -> None:
        self._slots = functools.cache(make_slots)

    def take(self, endpoint: Endpoint) -> None:
        """Count one export.

        :raises RateLimitedError: if it would be one too many; nothing was sent.
        """
        wait = self._slots().take()
        if wait:
            raise RateLimitedError(
                f"{endpoint.path} was not sent: QuantConnect allows {LOG_EXPORTS} exports of logs in "
                f"{LOG_EXPORT_SECONDS / 60:.0f} minutes.",
                endpoint=endpoint.path,
                retry_after_seconds=wait,
                advice=f"Try again in {wait:,.0f} s, or read parts of a log with read_live_logs.",
            )
