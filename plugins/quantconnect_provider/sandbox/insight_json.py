"""Writing insights as JSON: three spellings of live/insights/read, and the one of the export.

Most rows are written without making an object for each: what only this row has (id and times) by a
template, the rest from a table of texts. A row that a test changed goes through :meth:`Speller.fields`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from quantconnect_provider.sandbox.insight_rows import CLOSED, FINAL, OPEN, Row, variants

HEADS = {
    "original": '"id":"%s","generatedTime":"%d","createdTime":%d,"closeTime":%d,"period":%d',
    "openapi": '"id":"%s","generatedTime":%d,"closeTime":%d,"period":%d',
    "engine": '"id":"%s","generatedTime":%.1f,"createdTime":%.1f,"closeTime":%.1f,"period":%.1f',
    "export": '"insight_id":"%s","generated_time":%d,"close_time":%d,"period":%d',
}
"""The start of a row's JSON, which no other row has; percent formatting is the fastest there is."""


class Speller:
    """Writes insights in one spelling.

    :param name: a key of :data:`HEADS`
    :param first: fields that every row begins with
    :param last: fields that every row ends with
    :param dashes: write ids as 8-4-4-4-12 digits
    """

    def __init__(
        self,
        name: str,
        first: dict[str, Any] | None = None,
        last: dict[str, Any] | None = None,
        dashes: bool = False,
    ) -> None:
        self.name = name
        self._first = first or {}
        self._last = last or {}
        self._dashes = dashes
        self.head = self._head()

    def _head(self) -> Callable[[str, float, float, float], str]:
        """Make what writes id, generated, close time and period, and everything before them."""
        begin = msgspec.json.encode(self._first).decode()[1:-1].replace("%", "%%")
        template = "{" + (begin + "," if begin else "") + HEADS[self.name]
        name_it = _dashed if self._dashes else str
        if self.name in ("original", "engine"):
            return lambda identity, generated, closes, period: template % (
                name_it(identity), generated, generated, closes, period,
            )  # fmt: skip
        return lambda identity, generated, closes, period: template % (
            name_it(identity), generated, closes, period,
        )  # fmt: skip

    def tails(self, seed: int, symbols: tuple[str, ...], model: str) -> list[list[str]]:
        """Encode what follows the head, by state and variant."""
        return _tails(seed, symbols, model, self.name, msgspec.json.encode(self._last).decode()[1:-1])

    def fields(self, row: Row) -> dict[str, Any]:
        """Name and type all fields of a row; encoded, this is what head and tail say."""
        identity = _dashed(row.insight_id) if self._dashes else row.insight_id
        return {**self._first, **_own(row, self.name, identity), **_common(row, self.name), **self._last}


def _own(row: Row, name: str, identity: str) -> dict[str, Any]:
    """Name the fields that differ between any two insights."""
    number = float if name == "engine" else int
    generated, closes, period = number(row.generated_at), number(row.closes_at), number(row.period_seconds)
    if name == "export":
        return {"insight_id": identity, "generated_time": generated, "close_time": closes, "period": period}
    times: dict[str, Any] = {"generatedTime": generated}
    if name == "original":
        times = {"generatedTime": str(generated)}
    if name != "openapi":
        times["createdTime"] = generated
    return {"id": identity, **times, "closeTime": closes, "period": period}


def _common(row: Row, name: str) -> dict[str, Any]:
    """Name the fields that two insights of one variant share."""
    if name == "export":
        return _export_fields(row)
    text = str if name == "original" else _same
    rounded = _four_places if name == "engine" else _same
    final_reference, final_flag = (
        ("referenceFinal", "scoreFinal") if name == "openapi" else ("referenceValueFinal", "scoreIsFinal")
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


def _export_fields(row: Row) -> dict[str, Any]:
    return {
        "source": "live trading",
        "source_model": row.source_model,
        "group_id": row.group_id,
        "symbol_id": row.symbol,
        "ticker": row.ticker,
        "symbol_market": "usa" if " R" in row.symbol else "coinbase",
        "type": row.insight_type,
        "reference": row.reference_value,
        "reference_final": row.reference_value_final,
        "direction": row.direction,
        "magnitude": row.magnitude,
        "confidence": row.confidence,
        "weight": row.weight,
        "score_final": row.score_is_final,
        "score_direction": row.score_direction,
        "score_magnitude": row.score_magnitude,
        "estimated_value": row.estimated_value,
        "tag": row.tag,
    }


@lru_cache(maxsize=64)
def _tails(seed: int, symbols: tuple[str, ...], model: str, name: str, last: str) -> list[list[str]]:
    end = f",{last}}}" if last else "}"
    return [
        [
            "," + msgspec.json.encode(_common(variant[state], name)).decode()[1:-1] + end
            for variant in variants(seed, symbols, model)
        ]
        for state in (OPEN, CLOSED, FINAL)
    ]


def _same(value: Any) -> Any:
    return value


def _four_places(value: float | None) -> str | None:
    """Write a number as the engine's JSON has it: text, at most four decimals, no trailing zeros."""
    return None if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def _dashed(identity: str) -> str:
    return "-".join((identity[:8], identity[8:12], identity[12:16], identity[16:20], identity[20:]))
