"""Waits until a build is finished."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from quantconnect_provider.triggers.events import event_of
from quantconnect_provider.triggers.off_loop import OffLoopClient

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.live.wait import Judgement, Wait

FINISHED = ("BuildSuccess", "BuildError")


class CompileTrigger(BaseTrigger):
    """Looks at a build until it is finished, well or badly, or time is up. The worker reads its log.

    :param quantconnect_conn_id: id of the connection; its secrets never go through the database.
    :param project_id: the project that is built.
    :param compile_id: the build.
    :param deadline: unix seconds; absolute, so that it holds wherever the trigger is moved to.
    :param poll_interval_seconds: between two looks.
    """

    def __init__(
        self,
        *,
        quantconnect_conn_id: str,
        project_id: int,
        compile_id: str,
        deadline: float,
        poll_interval_seconds: float = 2.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.quantconnect_conn_id = quantconnect_conn_id
        self.project_id = project_id
        self.compile_id = compile_id
        self.deadline = deadline
        self.poll_interval_seconds = poll_interval_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, as they are kept in Airflow's database."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "quantconnect_conn_id": self.quantconnect_conn_id,
                "project_id": self.project_id,
                "compile_id": self.compile_id,
                "deadline": self.deadline,
                "poll_interval_seconds": self.poll_interval_seconds,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the one event that the wait ends with."""
        client = OffLoopClient(self.quantconnect_conn_id)
        try:
            judgement = await self._wait(client)
        finally:
            client.close()
        yield TriggerEvent(event_of(judgement))  # type: ignore[no-untyped-call]

    async def _wait(self, client: OffLoopClient) -> Judgement:
        wait = await asyncio.get_running_loop().run_in_executor(None, self._new_wait)
        while True:
            judgement = await self._look(client, wait)
            if judgement.verdict.value != "wait":
                return judgement
            await asyncio.sleep(max(0.0, min(self.poll_interval_seconds, self.deadline - time.time())))

    async def _look(self, client: OffLoopClient, wait: Wait) -> Judgement:
        from quantconnect_provider.client.errors import QuantConnectError
        from quantconnect_provider.live.wait import Judgement, Verdict

        left = max(self.deadline - time.time(), 0.0)
        try:
            state = await asyncio.wait_for(client.call(self._state), left)
        except asyncio.TimeoutError:
            state = "without an answer"
        except QuantConnectError as error:
            return wait.failed(error, time.time())
        if state in FINISHED:
            return Judgement(Verdict.DONE, status=state, message=f"Build {self.compile_id}: {state}")
        text = f"Build {self.compile_id} of project {self.project_id} is still {state}."
        over = time.time() >= self.deadline
        return Judgement(Verdict.TIMEOUT if over else Verdict.WAIT, status=state, message=text)

    def _state(self, client: QuantConnectClient) -> str:
        return client.read_compile(self.project_id, self.compile_id).state

    def _new_wait(self) -> Wait:
        # In a thread, because the first import of the client takes longer than an event loop may stand still.
        from quantconnect_provider.live.wait import Wait

        return Wait((), self.deadline)
