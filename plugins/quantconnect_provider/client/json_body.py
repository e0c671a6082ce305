"""Reads the JSON of a response, also where a value in it is not valid JSON."""

from __future__ import annotations

import json
import logging
import math
import re
from typing import Any

import msgspec

from quantconnect_provider.client.odd_values import shorten

log = logging.getLogger(__name__)

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_DEEPEST = 64
_LONGEST_WHOLE_NUMBER = 1000  # digits; Python refuses to read more than 4,300


def read_json(body: bytes, *, endpoint: str) -> Any:
    """Return what *body* holds.

    NaN, Infinity and numbers that no double can hold come as text, so that the reader of the field
    refuses them. What is not UTF-8, and half of a surrogate pair, comes as the replacement character.

    :raises ValueError: if it is not JSON in spite of that.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = _read_leniently(body, endpoint)
    if is_too_deep(value):
        raise ValueError("nested too deeply")
    return value


def is_too_deep(value: Any) -> bool:
    """Whether *value* is nested so deeply that what shows or stores it may fail."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            entry
            for outer in level
            for entry in (outer.values() if type(outer) is dict else outer if type(outer) is list else ())
            if type(entry) is dict or type(entry) is list
        ]
        if not level:
            return False
    return True


def _read_leniently(body: bytes, endpoint: str) -> Any:
    text = body.decode(json.detect_encoding(body), "replace").strip("\0\ufeff \t\r\n")
    try:
        value = LENIENT.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if is_too_deep(value):
        return value
    changed: list[str] = []
    value = without_surrogates(value, "", changed)
    if changed:
        log.warning("%s: characters that are not Unicode were replaced in %s.", endpoint, _some(changed))
    else:
        log.warning("%s: the response is not valid JSON; it was read nevertheless.", endpoint)
    return value


def without_surrogates(value: Any, path: str, changed: list[str]) -> Any:
    """Return *value* with halves of surrogate pairs replaced: no database and no JSON takes them.

    :param path: where it stands.
    :param changed: gets the path of each text that was changed.
    """
    if isinstance(value, str):
        if _REPLACEMENT in value or _SURROGATE.search(value):
            changed.append(path)
        return _SURROGATE.sub(_REPLACEMENT, value)
    if isinstance(value, list):
        return [without_surrogates(entry, f"{path}[{n}]", changed) for n, entry in enumerate(value)]
    if isinstance(value, dict):
        return {
            _SURROGATE.sub(_REPLACEMENT, key): without_surrogates(entry, f"{path}.{key}"[-80:], changed)
            for key, entry in value.items()
        }
    return value


def _some(paths: list[str]) -> str:
    shown = ", ".join(shorten(path.lstrip("."), 100).strip("'") for path in paths[:5])
    return f"{shown} and {len(paths) - 5:,} more places" if len(paths) > 5 else shown


def _number_or_text(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _whole_or_text(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST_WHOLE_NUMBER else text


LENIENT = json.JSONDecoder(
    strict=False, parse_constant=str, parse_float=_number_or_text, parse_int=_whole_or_text
)
"""Reads what is nearly JSON: see :func:`read_json`."""
