"""One live/list an interval for everyone in this process who waits on the same connection.

A thousand deferred tasks must not be a thousand requests every few seconds. Whoever waits watches the
connection's board; as long as somebody does, the board is read once an interval, off the event loop.
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

from quantconnect_provider.triggers.client_thread import ClientThread

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.client.errors import QuantConnectError
    from quantconnect_provider.live.observation import Observation

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Poll:
    """What one live/list said.

    :param taken_at: when it was asked for, in seconds of `time.monotonic`.
    :param seen: every deployment by its id; empty when the look failed.
    :param error: why the look failed.
    """

    taken_at: float
    seen: Mapping[str, Observation]
    error: QuantConnectError | None = None


class SharedPoller:
    """The newest reading of one connection, and those who wait for the next."""

    def __init__(self, quantconnect_conn_id: str) -> None:
        self._client = ClientThread(quantconnect_conn_id)
        self._intervals: list[float] = []
        self._latest: Poll | None = None
        self._next: asyncio.Future[Poll] | None = None
        self._joined = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def read(self, after: float) -> Poll:
        """Return the first reading that was asked for later than *after* (seconds of `time.monotonic`)."""
        while self._latest is None or self._latest.taken_at <= after:
            if self._next is None or self._next.done():
                self._next = asyncio.get_running_loop().create_future()
            # Shielded: one who gives up waiting must not take the reading away from the others.
            await asyncio.shield(self._next)
        return self._latest

    async def look_at(self, project_id: int, deploy_id: str) -> Observation | None:
        """Ask for one project's list, in case the list of all is cut short; None if that tells nothing."""
        try:
            return await self._client.call(partial(_look_at, project_id, deploy_id))
        except Exception as error:
            log.debug("The look at project %s failed: %s", project_id, error)  # so will the next reading
            return None

    def join(self, interval_seconds: float) -> None:
        """Count one more who watches; the board is read at the shortest interval that anyone asks for."""
        self._intervals.append(interval_seconds)
        self._joined.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep_reading())

    def leave(self, interval_seconds: float) -> bool:
        """Count one less; return whether nobody is left."""
        self._intervals.remove(interval_seconds)
        if self._intervals:
            return False
        if self._task is not None:
            self._task.cancel()
        self._client.close()
        return True

    async def _keep_reading(self) -> None:
        while True:
            taken_at = time.monotonic()
            self._latest = await self._take_reading(taken_at)
            if self._next is not None and not self._next.done():
                self._next.set_result(self._latest)
            await self._pause(taken_at)

    async def _pause(self, since: float) -> None:
        while (left := since + min(self._intervals) - time.monotonic()) > 0:
            self._joined.clear()
            try:
                await asyncio.wait_for(self._joined.wait(), left)
            except asyncio.TimeoutError:
                return

    async def _take_reading(self, taken_at: float) -> Poll:
        try:
            return Poll(taken_at, await self._client.call(_list))
        except Exception as error:
            return Poll(taken_at, {}, _as_quantconnect_error(error))


def _list(client: QuantConnectClient) -> dict[str, Observation]:
    from quantconnect_provider.live.observation import Observation

    return {row.deploy_id: Observation.of(row) for row in client.list_live()}


def _look_at(project_id: int, deploy_id: str, client: QuantConnectClient) -> Observation | None:
    from quantconnect_provider.live.observation import observe_deployment

    return observe_deployment(client, project_id, deploy_id)


def _as_quantconnect_error(error: Exception) -> QuantConnectError:
    """Return the error for those who wait; one of Airflow's own (its database is away) may pass."""
    from quantconnect_provider.client.errors import QuantConnectError, UnreachableError

    if isinstance(error, QuantConnectError):
        return error
    return UnreachableError(f"The look failed: {type(error).__name__}: {error}.", advice="")


_boards: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedPoller]] = WeakKeyDictionary()


@asynccontextmanager
async def watching(quantconnect_conn_id: str, interval_seconds: float) -> AsyncIterator[SharedPoller]:
    """Watch the board of a connection; it is read at least every *interval_seconds* meanwhile."""
    boards = _boards.setdefault(asyncio.get_running_loop(), {})
    board = boards.setdefault(quantconnect_conn_id, SharedPoller(quantconnect_conn_id))
    board.join(interval_seconds)
    try:
        yield board
    finally:
        if board.leave(interval_seconds):
            del boards[quantconnect_conn_id]
