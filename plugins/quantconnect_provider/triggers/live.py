"""Waits until a live deployment has the status that its task wants."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider.live.observation import Observation, observe_deployment
from quantconnect_provider.live.waiting import Wait, WaitResult, WaitState
from quantconnect_provider.triggers.base import LAST_POLL_SECONDS, QuantConnectTrigger
from quantconnect_provider.triggers.shared_poller import SharedPoller, polling_connection

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

_UNLISTED_BEFORE_ASKING = 3


class LiveStatusTrigger(QuantConnectTrigger):
    """Polls a deployment until it has one of the wanted statuses, is over, or time is up.

    :param deploy_id: the deployment.
    :param target: statuses (``Running``) and phases (``running``, ``over_well``, ``over_badly``), any of
        which ends the wait well.
    :param restart_grace_seconds: how long a runtime error may last before it counts as the end.

    The other parameters are those of `QuantConnectTrigger`.
    """

    def __init__(
        self, *, deploy_id: str, target: Sequence[str], restart_grace_seconds: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.deploy_id = deploy_id
        self.target = tuple(target)
        self.restart_grace_seconds = restart_grace_seconds
        self._wait = Wait(self.target, self.deadline, restart_grace_seconds=restart_grace_seconds)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, as they are kept in Airflow's database."""
        classpath, kwargs = super().serialize()
        return classpath, {
            **kwargs,
            "deploy_id": self.deploy_id,
            "target": list(self.target),
            "restart_grace_seconds": self.restart_grace_seconds,
        }

    def poll(self, client: QuantConnectClient) -> WaitResult:
        """Ask live/list of the project once, and return what the answer means for the wait."""
        return self._wait.saw(observe_deployment(client, self.project_id, self.deploy_id), time.time())

    async def wait(self) -> WaitResult:
        """Wait with the polls that all triggers of the connection share, and return how it ended."""
        async with polling_connection(self.quantconnect_conn_id, self.poll_interval_seconds) as poller:
            return await self._wait_with(poller)

    async def _wait_with(self, poller: SharedPoller) -> WaitResult:
        # A poll that is not older than an interval will do; it saves a request.
        after = time.monotonic() - self.poll_interval_seconds
        seconds_left = max(self.deadline - time.time(), LAST_POLL_SECONDS)
        last_seen: Observation | None = None
        unlisted = 0
        while True:
            try:
                poll = await asyncio.wait_for(poller.poll_after(after), seconds_left)
                seen = poll.seen.get(self.deploy_id)
                unlisted = unlisted + 1 if seen is None and poll.error is None else 0
                if unlisted and unlisted % _UNLISTED_BEFORE_ASKING == 0:
                    asking = poller.ask_about(self.project_id, self.deploy_id)
                    seen = await asyncio.wait_for(asking, max(self.deadline - time.time(), 1.0))
            except asyncio.TimeoutError:
                return self._wait.saw(last_seen, max(time.time(), self.deadline))
            after = poll.sent_at
            if poll.error is None:
                last_seen = seen
                result = self._wait.saw(last_seen, time.time())
            else:
                result = self._wait.failed(poll.error, time.time())
            if result.verdict is not WaitState.WAIT:
                return result
            seconds_left = max(self.deadline - time.time(), 0.0)
