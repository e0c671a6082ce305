"""Small Markdown tables out of text that others wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_INLINE = re.compile(r"([\\`*_\[\]<>|~])")
_SPECIAL = str.maketrans({"|": "\\|", "<": "&lt;", ">": "&gt;", "\n": " ", "`": "'"})


def cell(value: Any) -> str:
    """Return *value* as text; a Decimal as a person writes it."""
    return f"{value:f}" if hasattr(value, "as_tuple") else str(value)


def escaped(text: str) -> str:
    """Return *text* so that Markdown shows it as it is, on one line."""
    return _INLINE.sub(r"\\\1", " ".join(text.split()))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; no cell can break out of it."""
    lines = [
        heads,
        ["---"] * len(heads),
        *([str(entry).translate(_SPECIAL) for entry in row] for row in rows),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def amounts(cash: Iterable[Mapping[str, Any]]) -> str:
    """Return e.g. ``1000 USD, 0.5 BTC``."""
    return ", ".join(f"{cell(entry['amount'])} {entry['currency']}" for entry in cash)


def position(held: Mapping[str, Any]) -> str:
    """Return e.g. ``10 SPY at 512.3``."""
    return f"{cell(held['quantity'])} {held['symbol']} at {cell(held['averagePrice'])}"


def positions(holdings: Iterable[Mapping[str, Any]]) -> str:
    """Return e.g. ``10 SPY at 512.3, 0.25 BTCUSD at 61000``."""
    return ", ".join(position(held) for held in holdings)


def as_text(rows: Any) -> list[dict[str, str]]:
    """Return rows of cash or holdings with every value as text, fit for JSON."""
    return [{key: cell(value) for key, value in row.items()} for row in rows or []]
