"""Makes every text and JSON value one that both databases can hold.

PostgreSQL has no NUL characters, neither database has unpaired surrogates, and JSON has no NaN. The engine
passes every statement's parameters through here, so no table has to care.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, overload

import msgspec


@overload
def storable(value: str) -> str: ...


@overload
def storable(value: Any) -> Any: ...


def storable(value: Any) -> Any:
    """Return *value* without NUL characters and with U+FFFD for unpaired surrogates, at any depth."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {storable(key): storable(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [storable(entry) for entry in value]
    if isinstance(value, tuple):
        return tuple(storable(entry) for entry in value)
    return value


def storable_parameters(parameters: Any) -> Any:
    """Return the parameters of a statement, or of many, as :func:`storable` makes them."""
    if isinstance(parameters, list):
        return [storable_parameters(entry) for entry in parameters]
    values = parameters.values() if isinstance(parameters, dict) else parameters
    return parameters if not parameters or _is_storable(values) else storable(parameters)


def to_json(value: Any) -> str:
    """Write *value* as JSON that both databases take; NaN and infinite numbers become null."""
    return encode_json(value).decode()


def encode_json(value: Any) -> bytes:
    """Like :func:`to_json`, as UTF-8."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(storable(value))
    return msgspec.json.encode(storable(value)) if b"u0000" in encoded else encoded


def _is_storable(values: Iterable[Any]) -> bool:
    text = "".join([value for value in values if isinstance(value, str)])
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
