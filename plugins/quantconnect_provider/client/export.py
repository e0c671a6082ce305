"""Reads the download of live/export/insights, one large JSON array, a few hundred kilobytes at a time."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Any

import requests

from quantconnect_provider.client.download import read_download
from quantconnect_provider.client.endpoints import Endpoint
from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.insights import ExportedInsight, read_exported
from quantconnect_provider.client.json_body import LENIENT, is_too_deep, without_surrogates
from quantconnect_provider.client.odd_values import OddValueReporter

_ARRAY_OF_OBJECTS = re.compile(r"\[\s*(?=[{\]]|null)")
_BETWEEN_OBJECTS = " ,\r\n\t"
_LONGEST_PREAMBLE = 65_536
_LONGEST_ROW = 8 * 1024**2
_MOST_UNREAD = 10_000  # what goes on like that is no export, and might never end


def read_export(
    response: requests.Response, endpoint: Endpoint, odd: OddValueReporter
) -> Iterator[ExportedInsight]:
    """Yield the rows of an export as it arrives; a row that cannot be read is logged and left out.

    :raises UnreadableAnswerError: if it is not a list of insights, or ends early.
    """
    unread = 0  # rows without an insight since the last one with one
    text = codecs.iterdecode(read_download(response, endpoint), "utf-8-sig", "replace")
    try:
        for index, row in enumerate(stream_objects(text)):
            set_aside: list[tuple[str, Any]] = []
            exported = read_exported(row, set_aside)
            for key, value in set_aside:
                odd.warn(endpoint.path, key, value, "cannot be read", row=index)
            if exported is not None:
                unread = 0
                yield exported
                continue
            odd.warn(endpoint.path, "", row, "no insight with an id", row=index)
            unread += 1
            if unread > _MOST_UNREAD:
                raise ValueError(f"{unread:,} rows in a row are no insights")
    except ValueError as error:
        raise UnreadableAnswerError(
            f"{endpoint.path} cannot be read: {error}.", endpoint=endpoint.path
        ) from error


def stream_objects(chunks: Iterable[str]) -> Iterator[Any]:
    """Yield the entries of the first array of objects in *chunks*; None for one nested too deeply.

    :raises ValueError: if there is no such array, the text ends before the array does, or a row does not end.
    """
    source = iter(chunks)
    buffer, position = _find_array(source)
    while True:
        while position < len(buffer) and buffer[position] in _BETWEEN_OBJECTS:
            position += 1
        if position < len(buffer) and buffer[position] == "]":
            return
        try:
            entry, end = LENIENT.raw_decode(buffer, position)
        except RecursionError:
            raise ValueError("a row is nested too deeply") from None
        except ValueError:
            if len(buffer) - position > _LONGEST_ROW:
                raise ValueError("a row does not end") from None
            chunk = next(source, None)
            if chunk is None:
                raise ValueError("the export ends before its list does") from None
            buffer, position = buffer[position:] + chunk, 0
            continue
        escaped = "\\ud" in buffer[position:end].lower()  # perhaps half of a surrogate pair
        position = end
        if is_too_deep(entry):
            entry = None
        yield without_surrogates(entry, "", []) if escaped else entry


def _find_array(source: Iterator[str]) -> tuple[str, int]:
    buffer = ""
    for chunk in source:
        buffer += chunk
        found = _ARRAY_OF_OBJECTS.search(buffer)
        if found:
            return buffer, found.end()
        if len(buffer) > _LONGEST_PREAMBLE:
            break
    raise ValueError("the export has no list of insights")
