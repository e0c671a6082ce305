"""Polling: asking the API again and again, at an interval, with a limit and a budget of failures.

The one loop of this package. It is synchronous: workers run it, and triggers share its `FailureBudget`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.deployment_errors import WatchFailedError

log = logging.getLogger(__name__)

T = TypeVar("T")

Clock = Callable[[], float]
"""Returns unix seconds, as ``time.time`` does."""

Sleep = Callable[[float], None]
"""Pauses for that many seconds, as ``time.sleep`` does."""

FAILURES_IN_A_ROW = 20
"""How many polls in a row may fail for a passing reason before a wait gives up."""


@dataclass(frozen=True)
class Polling:
    """How time passes between polls.

    :param interval_seconds: from one poll to the next.
    """

    interval_seconds: float = 10.0
    clock: Clock = time.time
    sleep: Sleep = time.sleep

    def pause(self, until: float | None = None) -> None:
        """Sleep for an interval, or less if *until* (unix seconds) comes first."""
        left = self.interval_seconds if until is None else until - self.clock()
        self.sleep(max(0.0, min(self.interval_seconds, left)))


class FailureBudget:
    """How many polls in a row may fail for a passing reason. A poll that is answered restores it.

    :param limit: failures in a row that a wait survives.
    """

    def __init__(self, limit: int = FAILURES_IN_A_ROW) -> None:
        self.limit = limit
        self.last_error: QuantConnectError | None = None
        self._in_a_row = 0

    def restore(self) -> None:
        """Note that a poll was answered."""
        self.last_error = None
        self._in_a_row = 0

    def spend(self, error: QuantConnectError) -> None:
        """Note that a poll failed.

        :raises QuantConnectError: *error*, if waiting cannot cure it.
        :raises WatchFailedError: if more than ``limit`` polls in a row failed.
        """
        if not error.retryable:
            raise error
        self.last_error = error
        self._in_a_row += 1
        if self._in_a_row > self.limit:
            raise WatchFailedError(
                f"{self._in_a_row} polls in a row failed, the last one because: {error}"
            ) from error
        log.warning("Poll failed (%d of %d in a row): %s", self._in_a_row, self.limit, error)


def polls(
    ask: Callable[[], T], polling: Polling, until: float, budget: FailureBudget | None = None
) -> Iterator[T]:
    """Yield the answers of *ask*, one an interval, until a time limit; leave the loop when one is right.

    Asks once at least, and once more at the limit. Failed polls yield nothing; if the last ones failed,
    ``budget.last_error`` says why. ::

        for build in polls(lambda: client.read_compile(project_id, compile_id), polling, deadline):
            if build_succeeded(build):
                return build
        raise WaitTimeoutError(...)

    :param until: unix seconds.
    :param budget: the failures that the loop survives; by default a new one.
    :raises QuantConnectError: from *ask*, if waiting cannot cure it.
    :raises WatchFailedError: if too many polls in a row failed.
    """
    budget = budget or FailureBudget()
    while True:
        try:
            answer = ask()
        except QuantConnectError as error:
            budget.spend(error)
        else:
            budget.restore()
            yield answer
        if polling.clock() >= until:
            return
        polling.pause(until)
