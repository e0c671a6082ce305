"""Reads the numbers that live/read writes for people, such as ``$-1,234.50`` and ``-3.20 %``."""

from __future__ import annotations

import math
import re
import unicodedata

_LONGEST = 60
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
_NUMBER = re.compile(
    rf"(?P<before>[-+(]*)(?:[A-Z]{{3,5}})?(?P<after>[-+]?)(?P<digits>{_DIGITS})(?P<exponent>[eE][-+]?[0-9]{{1,3}})?"
    r"(?P<unit>[KMBT]?)(?P<percent>%?)(?:[A-Z]{3,5})?(?P<close>\)?)"
)
_SIGNS = ("", "-", "+", "(")
_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def read_amount(value: object) -> float | None:
    """Return the number that *value* is or spells; a percentage as a fraction, so ``-3.20 %`` is -0.032.

    Currency symbols and codes, thousands separators and the units K, M, B and T are understood; an amount in
    parentheses is negative. Returns None for everything else, also for numbers that are not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if not isinstance(value, str):
        return _finite(value)
    if len(value) > _LONGEST:
        return None
    text = "".join(_plain(character) for character in value)
    found = _NUMBER.fullmatch(text)
    if found is None or found["before"] not in _SIGNS or (found["before"] == "(") != bool(found["close"]):
        return None
    if found["before"] and found["after"]:
        return None
    number = _finite(found["digits"].replace(",", "") + (found["exponent"] or ""))
    if number is None:
        return None
    number *= _UNITS[found["unit"]]
    number = number / 100 if found["percent"] else number
    return _finite(-number if "-" in found["before"] + found["after"] or found["close"] else number)


def _plain(character: str) -> str:
    """Drop spaces and currency symbols, and write the minus sign as a hyphen."""
    if character.isspace() or unicodedata.category(character) == "Sc":
        return ""
    return "-" if character == "\N{MINUS SIGN}" else character


def _finite(value: float | str) -> float | None:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
