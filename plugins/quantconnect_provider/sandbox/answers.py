"""The fields of a request, and the kinds of answer that the API gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class ApiError(Exception):
    """The API refuses: HTTP 200 with ``success: false`` and these texts."""

    def __init__(self, *errors: str) -> None:
        super().__init__(*errors)
        self.errors = list(errors)


class Download(NamedTuple):
    """A file that is sent in pieces."""

    name: str
    content_type: str
    pieces: Iterator[bytes]


Answer = dict[str, Any] | bytes | Download
"""Fields beside ``success: true``; a whole encoded body; or a file."""


class Params:
    """The fields of a request; from a query string or a form all are text, from JSON they have types."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def get(self, name: str) -> Any:
        """Return the field as it was sent, or None."""
        return self.fields.get(name)

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number; raises ApiError when it is missing (and has no default) or is none."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        try:
            return int(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise ApiError(f"Invalid argument: {name}") from None

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; raises ApiError when it is missing or empty (and has no default)."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, (str, int)) or value == "":
            raise ApiError(f"Invalid argument: {name}")
        return str(value)

    def flag(self, name: str) -> bool:
        """Return a boolean; false when it is missing."""
        return str(self.fields.get(name, "")).lower() in {"true", "1"}
