"""Single insights, made on demand from a seed."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import NamedTuple

NEVER = 2556143999
"""2050-12-31 23:59:59 UTC: what an insight without an end gets as its close time."""

VARIANTS = 1024  # different combinations of symbol, direction and numbers; ids and times are unique anyway
OPEN, CLOSED, FINAL = 0, 1, 2


class Row(NamedTuple):
    """One insight as it is now; times and `period_seconds` in seconds."""

    insight_id: str
    generated_at: float
    closes_at: float
    period_seconds: float
    group_id: str | None
    source_model: str
    symbol: str
    ticker: str
    insight_type: str
    direction: str
    reference_value: float
    reference_value_final: float
    magnitude: float | None
    confidence: float | None
    weight: float | None
    score_is_final: bool
    score_direction: float
    score_magnitude: float
    estimated_value: float
    tag: str | None


def variant_of(serial: int) -> int:
    """Choose which of the variants an insight is; neighbours differ."""
    return (serial * 2654435761 >> 7) & (VARIANTS - 1)


@lru_cache(maxsize=64)
def variants(seed: int, symbols: tuple[str, ...], model: str) -> list[tuple[Row, Row, Row]]:
    """Draw every variant as it is while open, closed and final; the caller fills in ids and times."""
    draw = random.Random(f"insights {seed} {symbols} {model}")  # noqa: S311 - reproducible, not secret
    return [_variant(draw, draw.choice(symbols), model) for _ in range(VARIANTS)]


def _variant(draw: random.Random, symbol: str, model: str) -> tuple[Row, Row, Row]:
    reference = round(draw.uniform(20, 900), 2)
    final = round(reference * draw.uniform(0.9, 1.1), 2)
    kind, direction = (
        draw.choice(["price", "price", "price", "volatility"]),
        draw.choice(["up", "down", "flat"]),
    )
    start = Row(
        insight_id="", generated_at=0.0, closes_at=0.0, period_seconds=0.0, group_id=None, source_model=model,
        symbol=symbol, ticker=symbol.split(" ", 1)[0], insight_type=kind, direction=direction,
        reference_value=reference, reference_value_final=0.0, magnitude=round(draw.uniform(0.001, 0.1), 4),
        confidence=draw.choice([None, round(draw.uniform(0.05, 1), 4)]),
        weight=draw.choice([None, 0.1, 0.25]),
        score_is_final=False, score_direction=0.0, score_magnitude=0.0, estimated_value=0.0, tag=None,
    )  # fmt: skip
    scored = start._replace(
        score_direction=float(draw.random() < 0.5),
        score_magnitude=round(draw.random(), 4),
        estimated_value=round(draw.uniform(0, 2000), 4),
    )
    return start, scored, scored._replace(score_is_final=True, reference_value_final=final)
