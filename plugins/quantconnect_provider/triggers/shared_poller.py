"""One live/list an interval for all triggers in this process that wait on the same connection.

A thousand deferred tasks must not be a thousand requests every few seconds. While at least one trigger
waits, the connection's poller sends live/list once an interval, off the event loop, and all of them share
the answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.observation import Observation, observe_deployment
from quantconnect_provider.triggers.client_thread import ClientThread

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Poll:
    """The answer to one live/list.

    :param sent_at: when it was sent, in seconds of `time.monotonic`.
    :param seen: every deployment by its id; empty when the poll failed.
    :param error: why the poll failed.
    """

    sent_at: float
    seen: Mapping[str, Observation]
    error: QuantConnectError | None = None


class SharedPoller:
    """The newest poll of one connection, and the triggers that wait for the next."""

    def __init__(self, quantconnect_conn_id: str) -> None:
        self._client = ClientThread(quantconnect_conn_id)
        self._intervals: list[float] = []
        self._latest: Poll | None = None
        self._next: asyncio.Future[Poll] | None = None
        self._joined = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def poll_after(self, after: float) -> Poll:
        """Return the first poll that was sent later than *after* (seconds of `time.monotonic`)."""
        while self._latest is None or self._latest.sent_at <= after:
            if self._next is None or self._next.done():
                self._next = asyncio.get_running_loop().create_future()
            # Shielded: a trigger that stops waiting must not take the poll away from the others.
            await asyncio.shield(self._next)
        return self._latest

    async def ask_about(self, project_id: int, deploy_id: str) -> Observation | None:
        """Ask live/list of one project, in case the list of all is cut short; None without an answer."""
        try:
            return await self._client.call(partial(_observe, project_id, deploy_id))
        except QuantConnectError as error:
            log.debug("live/list of project %s failed: %s", project_id, error)  # so will the next poll
            return None

    def join(self, interval_seconds: float) -> None:
        """Count one more trigger; the shortest interval of all counts."""
        self._intervals.append(interval_seconds)
        self._joined.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep_polling())

    def leave(self, interval_seconds: float) -> bool:
        """Count one trigger less; return whether none is left."""
        self._intervals.remove(interval_seconds)
        if self._intervals:
            return False
        if self._task is not None:
            self._task.cancel()
        self._client.close()
        return True

    async def _keep_polling(self) -> None:
        while True:
            sent_at = time.monotonic()
            self._latest = await self._poll(sent_at)
            if self._next is not None and not self._next.done():
                self._next.set_result(self._latest)
            await self._pause(sent_at)

    async def _pause(self, since: float) -> None:
        while (left := since + min(self._intervals) - time.monotonic()) > 0:
            self._joined.clear()
            try:
                await asyncio.wait_for(self._joined.wait(), left)
            except asyncio.TimeoutError:
                return

    async def _poll(self, sent_at: float) -> Poll:
        try:
            return Poll(sent_at, await self._client.call(_list))
        except QuantConnectError as error:
            return Poll(sent_at, {}, error)


def _list(client: QuantConnectClient) -> dict[str, Observation]:
    return {row.deploy_id: Observation.of(row) for row in client.list_live()}


def _observe(project_id: int, deploy_id: str, client: QuantConnectClient) -> Observation | None:
    return observe_deployment(client, project_id, deploy_id)


_pollers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedPoller]] = WeakKeyDictionary()


@asynccontextmanager
async def polling_connection(
    quantconnect_conn_id: str, interval_seconds: float
) -> AsyncIterator[SharedPoller]:
    """Share the poller of a connection; meanwhile it polls at least every *interval_seconds*."""
    pollers = _pollers.setdefault(asyncio.get_running_loop(), {})
    poller = pollers.setdefault(quantconnect_conn_id, SharedPoller(quantconnect_conn_id))
    poller.join(interval_seconds)
    try:
        yield poller
    finally:
        if poller.leave(interval_seconds):
            del pollers[quantconnect_conn_id]
