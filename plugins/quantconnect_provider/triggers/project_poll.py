"""The waits with a request of their own, unlike those that one live/list answers for all."""

from __future__ import annotations

import abc
import asyncio
import logging
import time
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.polling import FailureBudget
from quantconnect_provider.live.waiting import WaitResult, WaitState, after_failure
from quantconnect_provider.triggers.base import LAST_POLL_SECONDS, QuantConnectTrigger
from quantconnect_provider.triggers.client_thread import ClientThread

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)


class ProjectPollTrigger(QuantConnectTrigger):
    """Asks about one project until the answer is right or time is up."""

    _status: str | None = None

    @abc.abstractmethod
    def ask(self, client: QuantConnectClient) -> tuple[bool, str]:
        """Return whether the wait is done, and the state in words. Blocks, and only reads."""

    def poll(self, client: QuantConnectClient) -> WaitResult:
        """Ask once, and return what the answer means for the wait."""
        done, status = self.ask(client)
        if status != self._status:
            log.info("%s", status)
            self._status = status
        state = WaitState.DONE if done else WaitState.WAIT
        return WaitResult(state, status=status, message=status)

    async def wait(self) -> WaitResult:
        """Poll in a thread until the wait ends, and return how."""
        client = ClientThread(self.quantconnect_conn_id)
        budget = FailureBudget()
        result = WaitResult(WaitState.WAIT, message="No poll was answered before the time limit.")
        seconds_left = max(self.deadline - time.time(), LAST_POLL_SECONDS)
        try:
            while seconds_left > 0:
                try:
                    result = await asyncio.wait_for(client.call(self.poll), seconds_left)
                    budget.restore()
                except asyncio.TimeoutError:
                    break
                except QuantConnectError as error:
                    result = after_failure(budget, error, now=time.time(), deadline=self.deadline)
                if result.verdict is not WaitState.WAIT:
                    return result
                seconds_left = self.deadline - time.time()
                await asyncio.sleep(max(0.0, min(self.poll_interval_seconds, seconds_left)))
                seconds_left = self.deadline - time.time()
            return result.at_deadline()
        finally:
            client.close()
