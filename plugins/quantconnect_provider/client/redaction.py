"""Which values of a request are secret, so that no error text can repeat them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

SECRET_KEY = re.compile(
    r"password|passphrase|secret|token|private|api-?key|api-?name|app-?key|access|user-?name|server-auth-id|credential",
    re.IGNORECASE,
)
_SHORTEST = 4  # shorter values would blank out parts of ordinary words
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
    """Return *text* with every one of *secrets* replaced."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
