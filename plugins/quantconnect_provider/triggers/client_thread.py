"""A thread with a client in it, so that requests never block the triggerer's event loop.

Triggers of all kinds share one event loop and the few threads of `asyncio.to_thread`. A stalled API may
hold a thread for as long as its timeout, so this package brings its own: one for each connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from quantconnect_provider.client.errors import QuantConnectError, UnreachableError

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.hooks.connection import ApiAccess
    from quantconnect_provider.hooks.quantconnect import QuantConnectHook

T = TypeVar("T")


class ClientThread:
    """A client of one connection whose calls run in a thread.

    :param quantconnect_conn_id: the connection; it is read again after a failure, so that corrected
        credentials count during a long wait.
    """

    def __init__(self, quantconnect_conn_id: str) -> None:
        self.quantconnect_conn_id = quantconnect_conn_id
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"quantconnect-{quantconnect_conn_id}")
        self._client: QuantConnectClient | None = None

    async def call(self, ask: Callable[[QuantConnectClient], T]) -> T:
        """Return what *ask* returns for the client.

        :raises QuantConnectError: as the client and the connection do; an error of Airflow's own (its
            database is away) is one that may pass.
        """
        try:
            if self._client is None:
                self._client = await self._connect()
            return await self._run(partial(ask, self._client))
        except QuantConnectError as error:
            # A client that was asked to slow down remembers for how long; any other is made anew.
            if error.retry_after_seconds is None:
                self._drop()
            raise
        except Exception as error:
            self._drop()
            raise UnreachableError(f"{type(error).__name__}: {error}.", advice="") from error

    def close(self) -> None:
        """Give up client and thread; a call that is under way ends by itself."""
        self._drop()
        self._thread.shutdown(wait=False)

    async def _connect(self) -> QuantConnectClient:
        hook = await self._run(partial(_hook, self.quantconnect_conn_id))
        access = await hook.aaccess()
        return await self._run(partial(_client, access))

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _hook(quantconnect_conn_id: str) -> QuantConnectHook:
    # Imported here, in the thread: the first import of `requests` would stall the event loop.
    from quantconnect_provider.hooks.quantconnect import QuantConnectHook  # noqa: PLC0415

    return QuantConnectHook(quantconnect_conn_id)


def _client(access: ApiAccess) -> QuantConnectClient:
    # Imported in the thread, for the same reason.
    from quantconnect_provider.client import RetrySettings  # noqa: PLC0415

    # A client that repeats requests would hide their failures from the wait's own budget.
    return access.client(RetrySettings(attempts=1, rate_limited_seconds=0))
