"""Waits until a live deployment is where its task wants it to be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from quantconnect_provider.triggers.events import event_of, settle
from quantconnect_provider.triggers.project_poll import LAST_LOOK_SECONDS
from quantconnect_provider.triggers.shared_poller import SharedPoller, watching

if TYPE_CHECKING:
    from quantconnect_provider.live.observation import Observation
    from quantconnect_provider.live.waiting import Wait, WaitResult

_UNLISTED_BEFORE_ASKING = 3


class LiveStatusTrigger(BaseTrigger):
    """Looks at a deployment until it has one of the wanted statuses, is over, or time is up.

    It only looks: neither killing the task nor moving or stopping the triggerer does anything to the
    deployment. It ends with one event, whatever happens.

    :param quantconnect_conn_id: id of the connection; its secrets never go through the database.
    :param project_id: the project, for the log.
    :param deploy_id: the deployment to look at.
    :param target: statuses (``Running``) and phases (``running``, ``over_well``, ``over_badly``), any of
        which ends the wait well.
    :param deadline: unix seconds; absolute, so that it holds wherever the trigger is moved to.
    :param poll_interval_seconds: between two looks.
    :param restart_grace_seconds: how long a runtime error may last before it counts as the end.
    :param resume: small JSON values that the event brings back to the task.
    """

    def __init__(
        self,
        *,
        quantconnect_conn_id: str,
        project_id: int,
        deploy_id: str,
        target: Sequence[str],
        deadline: float,
        poll_interval_seconds: float = 10.0,
        restart_grace_seconds: float = 0.0,
        resume: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.quantconnect_conn_id = quantconnect_conn_id
        self.project_id = project_id
        self.deploy_id = deploy_id
        self.target = tuple(target)
        self.deadline = deadline
        self.poll_interval_seconds = poll_interval_seconds
        self.restart_grace_seconds = restart_grace_seconds
        self.resume = resume or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, as they are kept in Airflow's database."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "quantconnect_conn_id": self.quantconnect_conn_id,
                "project_id": self.project_id,
                "deploy_id": self.deploy_id,
                "target": list(self.target),
                "deadline": self.deadline,
                "poll_interval_seconds": self.poll_interval_seconds,
                "restart_grace_seconds": self.restart_grace_seconds,
                "resume": self.resume,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the one event that the wait ends with."""
        started = time.monotonic()
        async with watching(self.quantconnect_conn_id, self.poll_interval_seconds) as board:
            wait_result = await self._wait(board)
        await settle(started, self.poll_interval_seconds)
        yield TriggerEvent(event_of(wait_result, self.resume))  # type: ignore[no-untyped-call]

    async def _wait(self, board: SharedPoller) -> WaitResult:
        wait = await asyncio.get_running_loop().run_in_executor(None, self._new_wait)
        # A reading that is not older than an interval will do; it saves the request of its own.
        after = time.monotonic() - self.poll_interval_seconds
        # Whoever comes late, after an outage of the triggerer, still deserves one look.
        patience = max(self.deadline - time.time(), LAST_LOOK_SECONDS)
        last_seen: Observation | None = None
        unlisted = 0
        while True:
            try:
                reading = await asyncio.wait_for(board.read(after), patience)
                seen = reading.seen.get(self.deploy_id)
                unlisted = unlisted + 1 if seen is None and reading.error is None else 0
                if unlisted and unlisted % _UNLISTED_BEFORE_ASKING == 0:
                    looking = board.look_at(self.project_id, self.deploy_id)
                    seen = await asyncio.wait_for(looking, max(self.deadline - time.time(), 1.0))
            except asyncio.TimeoutError:
                return wait.saw(last_seen, max(time.time(), self.deadline))
            after = reading.taken_at
            if reading.error is None:
                last_seen = seen
                wait_result = wait.saw(last_seen, time.time())
            else:
                wait_result = wait.failed(reading.error, time.time())
            if wait_result.verdict.value != "wait":
                return wait_result
            patience = max(self.deadline - time.time(), 0.0)

    def _new_wait(self) -> Wait:
        # In a thread, because the first import of the client takes longer than an event loop may stand still.
        from quantconnect_provider.live.waiting import Wait

        return Wait(self.target, self.deadline, restart_grace_seconds=self.restart_grace_seconds)
