"""Limits of one answer: one that trickles, never ends or inflates costs an error, not the worker.

The timeouts of requests count from byte to byte, and its bodies may have any size. Here the head of an answer
has to be there within the timeout, and a body may be as slow as :data:`SLOWEST_BYTES_PER_SECOND`.
"""

from __future__ import annotations

import http.client
import io
import time
from socket import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

SLOWEST_BYTES_PER_SECOND = 200_000
"""A body may be slower for as long as the timeout, in sum."""

LARGEST_ANSWER_BYTES = 64 * 1024**2
"""Of an answer that is held whole, as it travels and unpacked."""

LARGEST_ERROR_BYTES = 1024**2
"""Of an error page; what comes after that is not read."""

LARGEST_DOWNLOAD_BYTES = 4 * 1024**3
"""Of an answer that is read as it arrives."""

_PIECE_BYTES = 65_536
_LONGEST_LINE_BYTES = 65_537  # one more than http.client accepts


def read_body(response: requests.Response, largest_bytes: int) -> tuple[bytes, bool]:
    """Return the unpacked body, or the first *largest_bytes* of it, and whether that is all."""
    body = bytearray()
    for piece in response.iter_content(_PIECE_BYTES):
        body += piece
        if len(body) > largest_bytes:
            response.close()
            return bytes(body[:largest_bytes]), False
    return bytes(body), True


class LimitedAdapter(HTTPAdapter):
    """Connections whose answers have to keep up a pace and an end.

    :param largest_bytes: of one answer, as it travels.
    """

    def __init__(self, largest_bytes: int, **settings: Any) -> None:
        self._pool_classes = _pool_classes(largest_bytes)
        super().__init__(**settings)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pool_classes

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make, or find, the pool of connections through a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pool_classes
        return manager


def _pool_classes(largest_bytes: int) -> dict[str, type[HTTPConnectionPool]]:
    class LimitedResponse(http.client.HTTPResponse):
        def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self._limited = _LimitedReads(self.fp.detach(), sock, largest_bytes)
            self.fp = _ShortLines(self._limited)

        def begin(self) -> None:
            super().begin()
            self._limited.is_body = True

    class PlainConnection(HTTPConnection):
        response_class = LimitedResponse

    class SecureConnection(HTTPSConnection):
        response_class = LimitedResponse

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": PlainPool, "https": SecurePool}


class _LimitedReads(io.RawIOBase):
    """Reads the head of an answer within the socket's timeout, and a body that keeps up the pace.

    Time that the reader of a body spends between two reads does not count.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket, largest_bytes: int) -> None:
        self._raw = raw
        self._socket = sock
        self._timeout = sock.gettimeout() or float("inf")
        self._seconds_left = self._timeout
        self._bytes_left = largest_bytes
        self._counted_at = time.monotonic()
        self.is_body = False

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()

    def readinto(self, buffer: Any) -> int | None:
        if self.is_body:
            self._counted_at = time.monotonic()
        else:
            self._count_time()
        if self._seconds_left <= 0:
            raise TimeoutError("timed out: it comes too slowly")
        if self._bytes_left <= 0:
            raise ConnectionError("it does not end")
        if self._seconds_left < float("inf"):
            self._socket.settimeout(self._seconds_left)
        count: int | None = self._raw.readinto(buffer)
        self._count_time()
        self._bytes_left -= count or 0
        if self.is_body:
            earned = (count or 0) / SLOWEST_BYTES_PER_SECOND
            self._seconds_left = min(self._seconds_left + earned, self._timeout)
        return count

    def _count_time(self) -> None:
        now = time.monotonic()
        self._seconds_left -= now - self._counted_at
        self._counted_at = now


class _ShortLines(io.BufferedReader):
    """A line, such as the length of a chunk, does not fill the memory."""

    def readline(self, size: int | None = -1) -> bytes:
        return super().readline(_LONGEST_LINE_BYTES if size is None or size < 0 else size)
