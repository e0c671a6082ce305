"""The waits that have a question of their own, unlike those that one live/list answers for all."""

from __future__ import annotations

import abc
import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from quantconnect_provider.triggers.client_thread import ClientThread
from quantconnect_provider.triggers.events import event_of, settle

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.live.waiting import Wait, WaitResult

LAST_LOOK_SECONDS = 15.0
"""Whoever comes late, after an outage of the triggerer, still gets one look of this length."""


class ProjectPollTrigger(BaseTrigger):
    """Asks about one project until the answer is there or time is up; ends with one event, whatever happens.

    :param quantconnect_conn_id: id of the connection; its secrets never go through the database.
    :param project_id: the project.
    :param deadline: unix seconds; absolute, so that it holds wherever the trigger is moved to.
    :param poll_interval_seconds: between two looks.
    :param resume: small JSON values that the event brings back to the task.
    """

    def __init__(
        self,
        *,
        quantconnect_conn_id: str,
        project_id: int,
        deadline: float,
        poll_interval_seconds: float,
        resume: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.quantconnect_conn_id = quantconnect_conn_id
        self.project_id = project_id
        self.deadline = deadline
        self.poll_interval_seconds = poll_interval_seconds
        self.resume = resume or {}

    @abc.abstractmethod
    def ask(self, client: QuantConnectClient) -> tuple[bool, str]:
        """Return whether the wait is over and how things stand; runs in a thread, and only looks."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, as they are kept in Airflow's database."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "quantconnect_conn_id": self.quantconnect_conn_id,
                "project_id": self.project_id,
                "deadline": self.deadline,
                "poll_interval_seconds": self.poll_interval_seconds,
                "resume": self.resume,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the one event that the wait ends with."""
        started = time.monotonic()
        client = ClientThread(self.quantconnect_conn_id)
        try:
            wait_result = await self._wait(client)
        finally:
            client.close()
        await settle(started, self.poll_interval_seconds)
        yield TriggerEvent(event_of(wait_result, self.resume))  # type: ignore[no-untyped-call]

    async def _wait(self, client: ClientThread) -> WaitResult:
        wait = await asyncio.get_running_loop().run_in_executor(None, self._new_wait)
        patience = max(self.deadline - time.time(), LAST_LOOK_SECONDS)
        stands = "The wait is over, and no look had an answer."
        while True:
            wait_result = await self._look(client, wait, patience, stands)
            if wait_result.verdict.value != "wait":
                return wait_result
            stands = wait_result.message
            await asyncio.sleep(max(0.0, min(self.poll_interval_seconds, self.deadline - time.time())))
            patience = self.deadline - time.time()
            if patience <= 0:
                return replace(wait_result, verdict=type(wait_result.verdict)("timeout"))

    async def _look(self, client: ClientThread, wait: Wait, patience: float, stands: str) -> WaitResult:
        from quantconnect_provider.client.errors import QuantConnectError
        from quantconnect_provider.live.waiting import WaitResult, WaitState

        try:
            done, status = await asyncio.wait_for(client.call(self.ask), patience)
        except asyncio.TimeoutError:
            return WaitResult(WaitState.TIMEOUT, message=stands)
        except QuantConnectError as error:
            return wait.failed(error, time.time())
        if done:
            return WaitResult(WaitState.DONE, status=status, message=status)
        over = time.time() >= self.deadline
        return WaitResult(WaitState.TIMEOUT if over else WaitState.WAIT, status=status, message=status)

    def _new_wait(self) -> Wait:
        # In a thread, because the first import of the client takes longer than an event loop may stand still.
        from quantconnect_provider.live.waiting import Wait

        return Wait((), self.deadline)
