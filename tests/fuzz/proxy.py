"""A server before the sandbox that changes its answers; over real HTTP, with connections kept open."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.fuzz.answer import Answer
from tests.fuzz.content_mutations import Path
from tests.fuzz.mutations import Mutation

HOST = "127.0.0.1"
_NOT_PASSED_ON = frozenset({"content-length", "transfer-encoding", "connection", "content-type", "date"})


class Address(Protocol):
    """Where a sandbox listens."""

    host: str
    port: int


@dataclass(frozen=True)
class Request:
    case: str
    endpoint: str
    headers: dict[str, str]
    body: bytes

    @property
    def secrets(self) -> str:
        """What a debugging page of a careless server would show of the request."""
        return (
            f"Authorization: {self.headers.get('authorization', '')} {self.body.decode('utf-8', 'replace')}"
        )


Upstream = Callable[[Request], Answer]


class SandboxUpstream:
    """Passes requests on to a sandbox, over one connection for each thread."""

    def __init__(self, sandbox: Address) -> None:
        self._sandbox = sandbox
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def __call__(self, request: Request) -> Answer:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._sandbox.host, self._sandbox.port, timeout=20)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._local.connection = connection
            self._connections.append(connection)
        passed = {
            k: v for k, v in request.headers.items() if k not in ("host", "accept-encoding", "connection")
        }
        connection.request("POST", f"/api/v2/{request.endpoint}", request.body, passed)
        response = connection.getresponse()
        headers = [(k, v) for k, v in response.getheaders() if k.lower() not in _NOT_PASSED_ON]
        return Answer(response.read(), response.status, headers, response.headers.get("Content-Type", ""))


class MutatingProxy:
    """Serves what *upstream* answers, changed as the plan says; a context manager.

    :param elsewhere: where redirects lead to.

    ``changed`` has the path of each value that was changed, by endpoint; ``asked`` counts the requests.
    """

    def __init__(self, upstream: Upstream, elsewhere: str = "") -> None:
        self.upstream = upstream
        self.elsewhere = elsewhere
        self.changed: list[tuple[str, Path | None, bytes]] = []
        self.asked: Counter[str] = Counter()
        self._case = 0
        self._plan: Sequence[Mutation] = ()
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = _Server((HOST, 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def __enter__(self) -> MutatingProxy:
        return self

    def __exit__(self, *details: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        """Of this case: a late request of an earlier one is not counted."""
        return f"http://{HOST}:{self.port}/{self._case}/api/v2"

    def plan(self, mutations: Sequence[Mutation]) -> None:
        """Begin a case: change answers like this from now on."""
        with self._lock:
            self._case += 1
            self._plan, self._seen = tuple(mutations), Counter()
            self.changed, self.asked = [], Counter()

    def answer(self, request: Request) -> Answer:
        """The answer to *request*, changed."""
        with self._lock:
            if request.case != str(self._case):
                return Answer(b"", 500)
            self.asked[request.endpoint] += 1
            self._seen[request.endpoint] += 1
            count = self._seen[request.endpoint]
            hits = [mutation for mutation in self._plan if mutation.hits(request.endpoint, count)]
        answer = self.upstream(request)
        honest = answer.body
        for mutation in hits:
            path = mutation.apply(answer, request.secrets, self.elsewhere)
            with self._lock:
                self.changed.append((request.endpoint, path, honest))
        return answer

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    while (request := self._read()) is not None:
                        answer = proxy.answer(request)
                        for piece in answer.pieces():
                            self.connection.sendall(piece)
                            if answer.pause_seconds:
                                time.sleep(answer.pause_seconds)
                        if answer.close:
                            self.connection.shutdown(socket.SHUT_RDWR)
                            return

            def _read(self) -> Request | None:
                line = self.rfile.readline().decode("latin-1")
                if not line.strip():
                    return None
                headers: dict[str, str] = {}
                while (text := self.rfile.readline().decode("latin-1").strip()) != "":
                    name, _, value = text.partition(":")
                    headers[name.lower()] = value.strip()
                body = self.rfile.read(int(headers.get("content-length", 0)))
                case, _, endpoint = line.split()[1].partition("/api/v2/")
                return Request(case.strip("/"), endpoint, headers, body)

        return Handler


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        raise  # noqa: PLE0704 - a fault of the proxy itself: it must be seen


class Replayed:
    """Asks *upstream* each question once: for a sandbox in which nothing changes."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._answers: dict[tuple[str, bytes], Answer] = {}

    def __call__(self, request: Request) -> Answer:
        question = request.endpoint, request.body
        if question not in self._answers:
            self._answers[question] = self._upstream(request)
        return _copy(self._answers[question])


class Recorded:
    """Answers as the sandbox once did, by endpoint: what does not change can be served a thousand times."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}

    def __call__(self, request: Request) -> Answer:
        found = self.answers.get(request.endpoint)
        if found is None:
            body = json.dumps({"success": False, "errors": [f"{request.endpoint} was not recorded"]})
            return Answer(body.encode())
        return _copy(found)

    def recording(self, upstream: Upstream) -> Upstream:
        """Pass requests on to *upstream*, and remember the last answer of each endpoint."""

        def record(request: Request) -> Answer:
            answer = upstream(request)
            self.answers[request.endpoint] = answer
            return _copy(answer)

        return record


def _copy(answer: Answer) -> Answer:
    return Answer(answer.body, answer.status, list(answer.headers), answer.content_type)
