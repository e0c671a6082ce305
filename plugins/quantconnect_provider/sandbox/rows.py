"""Single insights: made on demand from a seed, and written in each of the API's spellings."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

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


def spell(row: Row, spelling: str) -> dict[str, Any]:
    """Write the row as live/insights/read names and types its fields in this spelling."""
    head: dict[str, Any] = {"id": row.insight_id}
    if spelling == "original":
        head |= {"generatedTime": str(int(row.generated_at)), "createdTime": int(row.generated_at)}
    elif spelling == "engine":
        head |= {"generatedTime": float(row.generated_at), "createdTime": float(row.generated_at)}
    else:
        head |= {"generatedTime": int(row.generated_at)}
    number = float if spelling == "engine" else int
    head |= {"closeTime": number(row.closes_at), "period": number(row.period_seconds)}
    return head | _tail(row, spelling)


def _tail(row: Row, spelling: str) -> dict[str, Any]:
    """Write the fields that do not differ between two insights of one variant."""
    engine = spelling == "engine"
    text = str if spelling == "original" else _same
    rounded = _four_places if engine else _same
    final_reference, final_flag = (
        ("referenceFinal", "scoreFinal") if spelling == "openapi" else ("referenceValueFinal", "scoreIsFinal")
    )
    return {
        "groupId": row.group_id,
        "sourceModel": row.source_model,
        "symbol": row.symbol,
        "ticker": row.ticker,
        "type": row.insight_type,
        "reference": text(row.reference_value),
        final_reference: text(row.reference_value_final),
        "direction": row.direction,
        "magnitude": rounded(row.magnitude),
        "confidence": rounded(row.confidence),
        "weight": row.weight,
        final_flag: row.score_is_final,
        "scoreDirection": rounded(row.score_direction),
        "scoreMagnitude": rounded(row.score_magnitude),
        "estimatedValue": rounded(row.estimated_value),
        "tag": row.tag,
    }


def _same(value: Any) -> Any:
    return value


def _four_places(value: float | None) -> str | None:
    """Write a number as the engine's JSON has it: text, at most four decimals, no trailing zeros."""
    return None if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


@lru_cache(maxsize=64)
def tails(seed: int, symbols: tuple[str, ...], model: str, spelling: str, extra: str) -> list[list[str]]:
    """Encode the rest of a row, by state and variant, to be put behind what :data:`HEADS` writes."""
    return [
        [
            "," + msgspec.json.encode(_tail(variant[state], spelling)).decode()[1:-1] + extra + "}"
            for variant in variants(seed, symbols, model)
        ]
        for state in (OPEN, CLOSED, FINAL)
    ]


Head = Callable[[str, float, float, float], str]


def _percent(template: str, generated_times: int) -> Head:
    """Fill in a template; percent formatting is the fastest there is, and a page has a hundred rows."""
    if generated_times == 1:
        return lambda identity, generated, closes, period: template % (identity, generated, closes, period)
    return lambda identity, generated, closes, period: template % (
        identity, generated, generated, closes, period,
    )  # fmt: skip


HEADS: dict[str, Head] = {
    "original": _percent('{"id":"%s","generatedTime":"%d","createdTime":%d,"closeTime":%d,"period":%d', 2),
    "openapi": _percent('{"id":"%s","generatedTime":%d,"closeTime":%d,"period":%d', 1),
    "engine": _percent(
        '{"id":"%s","generatedTime":%.1f,"createdTime":%.1f,"closeTime":%.1f,"period":%.1f', 2
    ),
}
"""Write the start of a row's JSON, which no other row has: must say what :func:`spell` says."""
