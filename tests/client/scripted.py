"""An HTTP server that sends the responses of a test, byte for byte, and records the requests."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One scripted answer; ``body`` may be an object (sent as JSON) or raw bytes."""

    body: Any = field(default_factory=lambda: {"success": True})
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False  # read the request, then close the connection without an answer
    cut_at: int | None = None  # promise the whole body, send this many bytes, close
    hold: threading.Event | None = None  # answer only when set


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that hangs up is part of the tests
            super().handle_error(request, client_address)


class ScriptedServer:
    """Serves replies in order; when they run out, ``default`` (plain success) is served."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.default: Callable[[Asked], Reply] = lambda asked: Reply()
        self.asked: list[Asked] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/v2"

    def script(self, *replies: Reply) -> None:
        self.replies.extend(replies)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each response waits 40 ms for an acknowledgement

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.path, dict(self.headers), json.loads(body or b"{}"))
                script.asked.append(asked)
                reply = script.replies.popleft() if script.replies else script.default(asked)
                if reply.hold:
                    reply.hold.wait(10)
                if reply.drop:
                    self._end()
                    return
                raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(raw)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw[: reply.cut_at])
                if reply.cut_at is not None:
                    self.wfile.flush()
                    self._end()

            def date_time_string(self, timestamp: float | None = None) -> str:
                upcoming = script.date_header
                return upcoming or super().date_time_string(timestamp)

            def _end(self) -> None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    date_header: str = ""
