"""Downloads of live/export: files that are streamed as they arrive; an error comes as JSON with HTTP 200."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import requests

from quantconnect_provider.client.answer_limits import LARGEST_DOWNLOAD_BYTES
from quantconnect_provider.client.endpoints import Endpoint
from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.response import RawResponse, read_response
from quantconnect_provider.client.times import utc_now

_CHUNK_BYTES = 262_144
_LONGEST_ERROR_BYTES = 65_536


def read_download(response: requests.Response, endpoint: Endpoint) -> Iterator[bytes]:
    """Yield the file in pieces as it arrives.

    :raises QuantConnectError: if the response is an error and no file.
    :raises UnreadableAnswerError: if it does not end.
    """
    pieces: Iterator[bytes] = response.iter_content(_CHUNK_BYTES)
    head = next(pieces, b"")
    if head.lstrip()[:1] == b"{":
        while len(head) <= _LONGEST_ERROR_BYTES and (piece := next(pieces, b"")):
            head += piece
        if len(head) <= _LONGEST_ERROR_BYTES:
            _raise_if_error(RawResponse(endpoint, response.status_code, response.headers, head, utc_now()))
    received = 0
    for piece in chain([head], pieces):
        received += len(piece)
        if received > LARGEST_DOWNLOAD_BYTES:
            raise UnreadableAnswerError(
                f"{endpoint.path} was answered with more than {LARGEST_DOWNLOAD_BYTES:,} bytes.",
                endpoint=endpoint.path,
            )
        yield piece


def _raise_if_error(response: RawResponse) -> None:
    try:
        read_response(response)
    except UnreadableAnswerError:
        return  # a file that begins with a brace, as a log may
