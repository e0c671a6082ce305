"""One HTTP request and the ways of answering it, well-behaved and not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from quantconnect_provider.sandbox.answers import ApiError, Download, Params

Transports = dict[Any, asyncio.Transport]
"""Open connections by the address of the client, as the server keeps them."""


class Exchange:
    """A request in hand; `skew` seconds are added to the Date header."""

    def __init__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
        transports: Transports,
    ) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._scope = scope
        self._receive = receive
        self._send = send
        self._transports = transports
        self.skew = 0.0

    def header(self, name: bytes) -> bytes:
        """Return a request header by its lower-case name; empty when it was not sent."""
        return next((value for key, value in self._scope["headers"] if key == name), b"")

    async def fields(self) -> Params:
        """Read the fields: the query, and a JSON or form body over it; ApiError if that is neither."""
        query = self._scope["query_string"]
        fields: dict[str, Any] = (
            dict(parse_qsl(query.decode(errors="replace"), keep_blank_values=True)) if query else {}
        )
        body = await self._body() if self.method != "GET" else b""
        if not body.strip():
            return Params(fields)
        if self.header(b"content-type").startswith(b"application/x-www-form-urlencoded"):
            return Params(
                {**fields, **dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))}
            )
        try:
            sent = msgspec.json.decode(body)
        except msgspec.DecodeError:
            raise ApiError("Invalid JSON in the request body") from None
        if not isinstance(sent, dict):
            raise ApiError("Invalid argument: the request body must be an object")
        return Params({**fields, **sent})

    async def _body(self) -> bytes:
        message = await self._receive()
        body: bytes = message.get("body", b"")
        while message.get("more_body"):
            message = await self._receive()
            body += message.get("body", b"")
        return body

    async def answer(
        self,
        body: bytes,
        status: int = 200,
        content_type: str = "application/json",
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        """Send a whole answer."""
        await self._start(status, content_type, [(b"content-length", str(len(body)).encode()), *headers])
        await self._send({"type": "http.response.body", "body": body})

    async def download(self, file: Download) -> None:
        """Send a file piece by piece, letting other requests be served in between."""
        disposition = f'attachment; filename="{file.name}"'.encode()
        await self._start(200, file.content_type, [(b"content-disposition", disposition)])
        for piece in file.pieces:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await self._send({"type": "http.response.body", "body": b""})

    async def truncated(self, body: bytes) -> None:
        """Announce a whole body, send half of it, and close the connection."""
        await self._start(200, "application/json", [(b"content-length", str(len(body)).encode())])
        await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        if (transport := self._transport()) is not None:
            transport.close()

    def abort(self) -> None:
        """Break the connection off without a byte of an answer."""
        if (transport := self._transport()) is not None:
            transport.abort()

    async def left(self) -> None:
        """Wait until the client has closed the connection."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _transport(self) -> asyncio.Transport | None:
        return self._transports.get(tuple(self._scope["client"]))

    async def _start(self, status: int, content_type: str, headers: list[tuple[bytes, bytes]]) -> None:
        common = [
            (b"content-type", content_type.encode()),
            (b"date", _http_date(int(time.time() + self.skew))),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": common + headers})


@lru_cache(maxsize=8)
def _http_date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
