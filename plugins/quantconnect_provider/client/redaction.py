"""Which values of a request are secret, so that no error text can repeat them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

SECRET_KEY = re.compile(
    r"password|passphrase|secret|token|private|api-?key|api-?name|app-?key|access|user-?name|server-auth-id|credential",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"(?i)\bbasic +[a-z0-9+/=]{8,}")
_SHORTEST = 4  # shorter values would blank out parts of ordinary words
_SHORTEST_IN_BODY = 16  # an answer's keys and values must stay what they are
MASK = "***"


def secret_leaves(value: Any, *, inside_secret: bool = False) -> Iterator[str]:
    """Yield each leaf of nested settings that lies under a key whose name says that it is secret."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from secret_leaves(entry, inside_secret=inside_secret or bool(SECRET_KEY.search(str(key))))
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from secret_leaves(entry, inside_secret=inside_secret)
    elif inside_secret and value is not None and len(str(value)) >= _SHORTEST:
        yield str(value)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return *text* with every one of *secrets*, and every signature of a request, replaced."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _SIGNATURE.sub(f"Basic {MASK}", text)


def redact_body(body: bytes, secrets: Iterable[str]) -> bytes:
    """Return an answer without the long ones of *secrets*, where the API repeats the request in it."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_IN_BODY:
            for spelled in {secret, json.dumps(secret)[1:-1]}:
                body = body.replace(spelled.encode(), MASK.encode())
    return body
