"""Reads lists and objects that a template or a form gave as text.

Jinja renders ``{{ ids | tojson }}`` as JSON text and ``{{ ids }}`` as Python's spelling of the list; with
``render_template_as_native_obj`` it gives the list itself. All three mean the same.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Integral
from typing import Any

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.json_body import is_too_deep

_OPENING = ("[", "{", "(")


def read_structure(value: Any, field: str = "value") -> Any:
    """Return the list or object that *value* is, or that its text spells as JSON or as a Python literal.

    Lists come back as ``list``, objects as ``dict``. Text that spells neither comes back unchanged, for the
    caller to read or to refuse.

    :param field: the name of the field, for the error.
    :raises InvalidSettingError: naming the field and the entry: a number that is not finite, text with a NUL
        character or half a surrogate pair, or a type that JSON does not have.
    """
    try:
        found = _checked(_from_text(value) if isinstance(value, str) else value, field)
        if is_too_deep(found):  # how deep Python itself reads depends on its version
            raise RecursionError
        return found
    except RecursionError:
        raise InvalidSettingError(f"{field} is nested too deeply.") from None


def _from_text(text: str) -> Any:
    if not text.lstrip().startswith(_OPENING):
        return text
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return text


def _checked(value: Any, place: str) -> Any:
    if value is None or isinstance(value, Integral):
        return value
    if isinstance(value, (float, Decimal)):
        if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
            raise InvalidSettingError(f"{place} is {value}.", advice="It must be a finite number.")
        return value
    if isinstance(value, str):
        return _checked_text(value, place)
    if isinstance(value, Mapping):
        return {
            _checked(key, f"a key of {place}"): _checked(entry, _below(place, key))
            for key, entry in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_checked(entry, f"{place}[{index}]") for index, entry in enumerate(value)]
    raise InvalidSettingError(
        f"{place} is of the type {type(value).__name__}.",
        advice="It must be text, a number, true, false, null, a list or an object.",
    )


def _below(place: str, key: Any) -> str:
    """Name an entry as people do: ``cash[0].amount``, and ``parameters['ema-fast']``."""
    return f"{place}.{key}" if isinstance(key, str) and key.isidentifier() else f"{place}[{key!r}]"


def _checked_text(text: str, place: str) -> str:
    if "\0" in text:
        raise InvalidSettingError(f"{place} contains a NUL character.", advice="Remove it.")
    try:
        # With native objects, a character beyond U+FFFF arrives from `tojson` as two: make them one again.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise InvalidSettingError(f"{place} contains half a character.", advice="Remove it.") from None
