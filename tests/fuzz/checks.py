"""What must hold of every result, every error and every log line, whatever the API sent."""

from __future__ import annotations

import logging
import math
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from quantconnect_provider.client.errors import QuantConnectError

TOKEN = "canary-token-0123456789abcdef0123456789abcdef"
PASSWORD = "canary-password-0123456789"
LONGEST_ERROR = 4000
LONGEST_LINE = 8000
_FREE = frozenset({"extra", "deployment_details", "row"})  # as the API had it


def assert_sound(value: Any, name: str = "result") -> None:
    """Every number is finite, every text can be stored, every time is aware and possible."""
    inner = _parts(value, name)
    if inner is None:
        _assert_sound_leaf(value, name)
        return
    for inner_name, part in inner:
        if inner_name.rpartition(".")[2] in _FREE:
            msgspec.json.encode(part)
        else:
            assert_sound(part, inner_name)


def _parts(value: Any, name: str) -> list[tuple[str, Any]] | None:
    """What *value* consists of, with a name for each; None if it has no parts."""
    if isinstance(value, msgspec.Struct):
        return [(f"{name}.{field}", getattr(value, field)) for field in value.__struct_fields__]
    if is_dataclass(value) and not isinstance(value, type):
        return [(f"{name}.{each.name}", getattr(value, each.name)) for each in fields(value)]
    if isinstance(value, dict):
        keys = [("a key", key) for key in value]
        return keys + [(f"{name}[{str(key)[:20]!r}]", part) for key, part in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"an entry of {name}", part) for part in value]
    return None


def _assert_sound_leaf(value: Any, name: str) -> None:
    if isinstance(value, (bool, Enum, bytes)) or value is None:
        return
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, int):
        assert -(2**63) < value < 2**63, f"{name} has more than 64 bits"
    elif isinstance(value, (float, Decimal)):
        assert math.isfinite(value), f"{name} is {value}"
    else:
        assert isinstance(value, datetime), f"{name} is of type {type(value).__name__}"
        assert value.tzinfo is not None, f"{name} has no zone"
        assert 1971 <= value.year < 2200, f"{name} is in {value.year}"


def assert_typed(error: BaseException) -> None:
    """An error says in short, printable words what happened, and names no secret."""
    assert isinstance(error, QuantConnectError), f"{type(error).__name__}: {str(error)[:300]}"
    for seen in (error, error.__cause__, error.__context__):
        if isinstance(seen, QuantConnectError):
            text = f"{seen} {seen!r} {seen.api_errors}"
            assert_clean(text, "an error")
            assert len(str(seen)) <= LONGEST_ERROR, f"an error of {len(str(seen)):,} characters"
            assert seen.retry_after_seconds is None or 0 <= seen.retry_after_seconds < math.inf


def assert_clean(text: str, where: str) -> None:
    """No secret, and no character that would make a terminal or a log line lie."""
    for secret in (TOKEN, PASSWORD):
        for start in range(0, len(secret) - 15, 4):
            assert secret[start : start + 16] not in text, f"{where} shows a secret: {text[:200]!r}"
    assert "Basic " not in text.replace("Basic ***", ""), f"{where} shows a signature: {text[:300]!r}"
    odd = [c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0]
    assert not odd, f"{where} has control characters: {odd[:5]}"
    text.encode()


class LineChecker(logging.Handler):
    """Looks at every line that the provider logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.bad: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        try:
            assert len(text) <= LONGEST_LINE, f"a log line of {len(text):,} characters: {text[:300]}"
            assert_clean(text, "a log line")
        except (AssertionError, UnicodeError) as error:
            self.bad.append(f"{record.name}: {error}")


@contextmanager
def checked_lines() -> Iterator[None]:
    """Fail if a line that is logged meanwhile is not clean."""
    logger = logging.getLogger("quantconnect_provider")
    checker = LineChecker()
    before, spread = logger.level, logger.propagate
    logger.addHandler(checker)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(checker)
        logger.setLevel(before)
        logger.propagate = spread
    assert not checker.bad, checker.bad[0]


def peak_megabytes() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
