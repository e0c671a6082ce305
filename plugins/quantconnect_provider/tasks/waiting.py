"""How operators wait: in their worker, or in the worker first and then in the triggerer."""

from __future__ import annotations

import abc
import time
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config
from quantconnect_provider.live.polling import Polling
from quantconnect_provider.live.waiting import WaitResult, WaitState, result_by
from quantconnect_provider.tasks.operator import QuantConnectOperator
from quantconnect_provider.triggers.events import read_wait_result, resume_of

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.triggers.base import QuantConnectTrigger

WORKER_SECONDS = 10.0
"""How long a deferrable task polls in its worker before it defers.

A wait that ends within seconds needs no triggerer, and must not use it: a task that resumes too soon after
it deferred is failed by the scheduler, as ``triggers.base.earliest_event_seconds`` explains.
"""

WORKER_INTERVAL_SECONDS = 2.0


class DeferrableOperator(QuantConnectOperator):
    """An operator or sensor that can free its worker while it waits.

    :param deferrable: wait in the triggerer if the wait takes longer than some seconds; default is
        ``[operators] default_deferrable``.
    """

    def __init__(self, *, deferrable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deferrable = config.default_deferrable() if deferrable is None else deferrable

    @abc.abstractmethod
    def interval(self) -> float:
        """Return the seconds from one poll to the next."""

    def wait_or_defer(
        self, client: QuantConnectClient, trigger: QuantConnectTrigger, method_name: str
    ) -> WaitResult:
        """Wait in the worker and return how that ended; a deferrable task does so for the first seconds only.

        :param trigger: polls the same, wherever it waits.
        :param method_name: resumes the task with the trigger's event.
        """

        def ask() -> WaitResult:
            return trigger.poll(client)

        if not self.deferrable:
            return result_by(ask, Polling(self.interval()), trigger.deadline).at_deadline()
        until = min(trigger.deadline, time.time() + WORKER_SECONDS)
        result = result_by(ask, Polling(min(self.interval(), WORKER_INTERVAL_SECONDS)), until)
        if result.verdict is WaitState.WAIT:
            self.log.info("%s Waiting in the triggerer.", result.message)
            self.defer(trigger=trigger, method_name=method_name)
        return result


class WaitingOperator(DeferrableOperator):
    """An operator that waits for something at QuantConnect.

    :param timeout_seconds: for how long to wait; the default is a setting.
    :param poll_interval_seconds: from one poll to the next; default is ``[quantconnect]
        poll_interval_seconds``.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float | None = None,
        poll_interval_seconds: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.timeout_seconds = timeout_seconds
        self.poll_interval_seconds = poll_interval_seconds

    def interval(self) -> float:
        """Return the seconds from one poll to the next."""
        return self.poll_interval_seconds or config.load().poll_interval_seconds

    def deadline(self, default_timeout_seconds: float) -> float:
        """Return the unix seconds at which a wait that starts now times out."""
        return time.time() + (self.timeout_seconds or default_timeout_seconds)

    def polling(self) -> Polling:
        """Return how a loop in the worker polls: as often as the triggerer."""
        return Polling(self.interval())


def wait_result_of(event: Any) -> tuple[WaitResult, dict[str, Any]]:
    """Return how the wait in the triggerer ended, and what the task gave to bring back.

    :raises UnknownEventError: an event of another version must never pass for success.
    """
    return read_wait_result(event), resume_of(event)
