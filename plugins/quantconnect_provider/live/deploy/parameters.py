"""The algorithm's parameters: all text in live/create, so that what has no text of its own is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quantconnect_provider.client.errors import InvalidSettingError


def parameter_texts(parameters: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Return the parameters as live/create takes them; those that are null are left out.

    :raises InvalidSettingError: naming the parameter that is a list, an object or not a finite number.
    """
    if parameters is None:
        return None
    return {name: _text(value, name) for name, value in parameters.items() if value is not None} or None


def _text(value: Any, name: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, (float, Decimal)) and math.isfinite(value)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    raise InvalidSettingError(
        f"parameters[{name!r}] is {_kind(value)}.",
        advice='A parameter is text, a number, true or false; write a list as text, like "1,2,3".',
    )


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple, set)):
        return "a list"
    return "not a finite number" if isinstance(value, (float, Decimal)) else f"of type {type(value).__name__}"
