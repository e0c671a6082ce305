"""Running the sandbox: uvicorn on the loopback interface, in the foreground or on a thread."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from quantconnect_provider.sandbox.app import SandboxApp
from quantconnect_provider.sandbox.auth import Credentials
from quantconnect_provider.sandbox.control import LocalVerbs
from quantconnect_provider.sandbox.exchange import Transports
from quantconnect_provider.sandbox.scenario import load_scenario
from quantconnect_provider.sandbox.scenario_spec import Scenario
from quantconnect_provider.sandbox.world import World

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
DEFAULT_PORT = 5612


def bind(port: int, host: str = HOST) -> socket.socket:
    """Reserve a port, by default on the loopback interface, 0 being any free one; raises OSError."""
    # Named outright, IPPROTO_TCP lets asyncio see that this is TCP and turn Nagle's algorithm off; with
    # it on, every answer would wait 40 ms for the acknowledgement of its own header.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def run(serving: Coroutine[Any, Any, None]) -> None:
    """Run to the end on the fastest event loop that is installed."""
    loop = _new_event_loop()
    try:
        loop.run_until_complete(serving)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def make_server(app: SandboxApp) -> uvicorn.Server:
    """Make the HTTP server for an application; run it with ``serve(sockets=[...])``."""
    config = uvicorn.Config(
        cast("Any", app),
        http=_recording(app.transports),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        date_header=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        backlog=2048,
    )
    return _Server(config, app.stopping)


class _Server(uvicorn.Server):
    """Exits when `stopping` is set, which requests that wait also see; signals are the caller's affair."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self._stopping.wait()


def _recording(transports: Transports) -> type[asyncio.Protocol]:
    """Make an HTTP protocol that also remembers connections, so that a fault can break them off."""

    class RecordingProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        def connection_made(self, transport: Any) -> None:
            self.peer = transport.get_extra_info("peername")
            transports[self.peer] = transport
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self.peer, None)
            super().connection_lost(exc)

    return RecordingProtocol


class Addressed:
    """Where a sandbox is and how one logs in to it."""

    host = HOST

    def __init__(self, port: int, user_id: int, api_token: str) -> None:
        self.port = port
        self.user_id = user_id
        self.api_token = api_token

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://{self.host}:{self.port}"

    @property
    def base_url(self) -> str:
        """The API's base URL, as a client takes it."""
        return f"{self.url}/api/v2"

    def airflow_connection(self, **extra: Any) -> str:
        """Write the sandbox as a value of ``AIRFLOW_CONN_QUANTCONNECT_DEFAULT``, with these extra fields."""
        fields: dict[str, Any] = {
            "conn_type": "quantconnect",
            "host": self.base_url,
            "login": str(self.user_id),
            "password": self.api_token,
        }
        return json.dumps({**fields, "extra": extra} if extra else fields)


class Sandbox(Addressed, LocalVerbs):
    """A sandbox on a thread of this process; a context manager.

    :param scenario: a file, a mapping of the same shape, a `Scenario`, or None for the default
    :param port: 0 is any free one; `url` and `base_url` have it after the start
    :param seed: overrides the scenario's
    :raises ScenarioError: the scenario is not valid
    """

    def __init__(
        self,
        scenario: Scenario | dict[str, Any] | str | Path | None = None,
        *,
        port: int = 0,
        user_id: int = 1,
        api_token: str = "sandbox",  # noqa: S107 - a default that is meant to be known
        seed: int | None = None,
    ) -> None:
        Addressed.__init__(self, port, user_id, api_token)
        LocalVerbs.__init__(self, World(load_scenario(scenario), user_id, seed))
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    def start(self) -> Sandbox:
        """Serve requests from now on; raises OSError when the port is taken."""
        listener = bind(self.port)
        self.port = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(listener,), name="sandbox", daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def _run(self, listener: socket.socket) -> None:
        run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._app = SandboxApp(self.world, Credentials(self.user_id, self.api_token))
        listener.listen(2048)
        self._ready.set()
        await make_server(self._app).serve(sockets=[listener])

    def stop(self) -> None:
        """Stop serving; hung and delayed requests are broken off."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._app.stopping.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
