"""Logs how far a long read has come."""

from __future__ import annotations

import logging
import time

from quantconnect_provider.store.commit_unit import HarvestRecord

log = logging.getLogger("quantconnect_provider.harvest")


class Progress:
    """Logs a line every few seconds of a long read.

    :param seconds: time between two lines.
    """

    def __init__(self, record: HarvestRecord, seconds: float) -> None:
        self._record = record
        self._seconds = seconds
        self._began: float | None = None
        self._next = 0.0
        self._first = 0

    def tick(self, reached: int, length: int | None, last_known: int | None) -> None:
        """Note that everything before position *reached* was read.

        :param length: what the API says about the length of the list, if that can be right.
        :param last_known: the last stored position.
        """
        now = time.monotonic()
        if self._began is None:
            self._began, self._next, self._first = now, now + self._seconds, reached
            return
        if now < self._next:
            return
        self._next = now + self._seconds
        rate = self._record.read / max(now - self._began, 0.001)
        total = length if length is not None and length > reached else (last_known or 0) + 1
        left = ""
        if total > reached:
            left = f" of about {total:,}, {_span((total - reached) / rate)} left"
        log.info(
            "%s: read up to %s%s; %s rows/s, %s inserted, %s updated so far.",
            self._record.deploy_id,
            f"{reached:,}",
            left,
            f"{rate:,.0f}",
            f"{self._record.inserted:,}",
            f"{self._record.updated:,}",
        )

    @property
    def seconds(self) -> float:
        """How long it has been since the first page came."""
        return 0.0 if self._began is None else time.monotonic() - self._began


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
