"""Values that cannot be right: each is kept out of its field, named, and costs nothing else."""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from itertools import islice
from typing import Any

import msgspec

from quantconnect_provider.client.redaction import redact

log = logging.getLogger(__name__)

_LONGEST_BYTES = 1400  # with project and advice, an error message stays below 2 kB
_CONTROL = re.compile(r"[^\S\n\t ]|[\x00-\x08\x0e-\x1f\x7f-\x9f]")


class OddValue(msgspec.Struct, frozen=True):
    """A value that cannot be right. It was kept out of its field; the rest of the response was read.

    :param index: which row of the response, from 0.
    :param field: the API's name of the field; empty if the whole row cannot be read.
    :param value: what came, cut short.
    """

    index: int
    field: str
    value: str


class OddValueReporter:
    """Warns of odd values, however many there are: of the 1st, 10th, 100th ... of each field.

    One for each client; safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, str]] = Counter()

    def warn(self, endpoint: str, field: str, value: Any, reason: object, *, row: int | None = None) -> None:
        """Log a value that was set aside.

        :param field: the API's name of it; empty if a whole row cannot be read.
        :param row: which row of the response, from 0.
        """
        with self._lock:
            self._seen[endpoint, field] += 1
            count = self._seen[endpoint, field]
        if str(count).strip("0") != "1":
            return
        place = "" if row is None else f"row {row}: "
        what = f"{field!r} is set aside" if field else "the row is set aside"
        so_far = f" {count:,} such values so far." if count > 1 else ""
        why = shorten_text(str(reason), 300)  # a library's reason may quote all of the value
        log.warning("%s: %s%s: %s (%s).%s", endpoint, place, what, shorten(value), why, so_far)


def shorten(value: Any, limit: int = 80) -> str:
    """Return *value* as text for a log, on one line and cut short."""
    if isinstance(value, (dict, list)):
        text = repr(dict(islice(value.items(), 20)) if isinstance(value, dict) else value[:20])
    elif isinstance(value, int) and value.bit_length() > 512:
        text = f"a number of {value.bit_length():,} bits"
    else:
        text = repr(value[: 2 * limit] if isinstance(value, str) else value)
    return shorten_text(text, limit)


def shorten_text(text: str, limit: int) -> str:
    """Return *text* without signatures, and cut short."""
    text = redact(text, ())  # before it is cut: half of a signature is not known as one
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def cap(text: str) -> str:
    """Return *text* fit for an error message: without control characters, and short, saying what was cut."""
    text = _CONTROL.sub(" ", text)
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= _LONGEST_BYTES:
        return text
    head = encoded[:_LONGEST_BYTES].decode("utf-8", "ignore")
    return f"{head}… ({len(text) - len(head):,} characters cut)"
