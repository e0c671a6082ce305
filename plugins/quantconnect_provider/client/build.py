"""Reads compile/read: the compiler's lines stand in several places."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.client.decode import decode, read_lines
from quantconnect_provider.client.endpoints import Endpoint
from quantconnect_provider.client.models import Compile
from quantconnect_provider.client.odd_values import OddValueReporter
from quantconnect_provider.client.response import error_words, is_no


def read_build(
    payload: dict[str, Any], compile_id: str, *, endpoint: Endpoint, odd: OddValueReporter
) -> Compile:
    """Return the build; its ``logs`` are the lines of ``logs`` and the errors, each once."""
    lines = [*read_lines(payload.get("logs")), *error_words(payload)]
    fields = {**payload, "compileId": compile_id, "logs": list(dict.fromkeys(lines))}
    if is_no(payload):
        fields["state"] = "BuildError"
    return decode(
        Compile, fields, endpoint=endpoint.path, odd=odd, ignored=frozenset({"success", "errors", "messages"})
    )
