"""Off the event loop: a thread of our own, and a client in it.

Triggers of all kinds share one event loop and the few threads of `asyncio.to_thread`. A stalled API may
hold a thread for as long as its timeout, so this package brings its own: one for each connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.hooks.quantconnect import QuantConnectHook

T = TypeVar("T")


class ClientThread:
    """A client of one connection whose calls run in a thread.

    :param quantconnect_conn_id: the connection; it is looked up anew after a failure, so that mended
        credentials are noticed during a long wait.
    """

    def __init__(self, quantconnect_conn_id: str) -> None:
        self.quantconnect_conn_id = quantconnect_conn_id
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"quantconnect-{quantconnect_conn_id}")
        self._client: QuantConnectClient | None = None

    async def call(self, ask: Callable[[QuantConnectClient], T]) -> T:
        """Return what *ask* returns for the client.

        :raises QuantConnectError: as the client and the connection do.
        """
        try:
            if self._client is None:
                self._client = await self._connect()
            return await self._run(partial(ask, self._client))
        except Exception as error:
            # One that was told to slow down remembers for how long; any other starts afresh.
            if getattr(error, "retry_after_seconds", None) is None:
                self._drop()
            raise

    def close(self) -> None:
        """Let go of client and thread; a call that is still under way ends by itself."""
        self._drop()
        self._thread.shutdown(wait=False)

    async def _connect(self) -> QuantConnectClient:
        hook = await self._run(partial(_hook, self.quantconnect_conn_id))
        access = await hook.aaccess()
        return await self._run(partial(access.client, _no_patience()))

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _hook(quantconnect_conn_id: str) -> QuantConnectHook:
    # In the thread, because the first import of the client takes longer than an event loop may stand still.
    from quantconnect_provider.hooks.quantconnect import QuantConnectHook

    return QuantConnectHook(quantconnect_conn_id)


def _no_patience() -> Any:
    # A wait has its own patience with failed looks; a client that repeats would hide them from it.
    from quantconnect_provider.client import RetrySettings

    return RetrySettings(attempts=1, rate_limited_seconds=0)
