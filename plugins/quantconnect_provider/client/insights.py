"""Reads insights in every spelling that the API has had: docs, OpenAPI, engine file, legacy and export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import Any

import msgspec
from pendulum import DateTime

from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.times import from_unix_seconds, read_time

_Field = tuple[str, Callable[[Any], Any] | None]  # its name, and how its value is read


class Insight(msgspec.Struct, kw_only=True):
    """One prediction of an algorithm (live/insights/read).

    Fields may change until the insight is closed and finally scored. ``insight_id`` is 32 hex digits;
    ``closes_at`` lies in 2050 for insights that never expire. Keys that this version does not know are
    kept in ``extra``.
    """

    insight_id: str
    generated_at: datetime | None = None
    closes_at: datetime | None = None
    symbol: str | None = None
    ticker: str | None = None
    insight_type: str | None = None
    direction: str | None = None
    period_seconds: float | None = None
    magnitude: float | None = None
    confidence: float | None = None
    weight: float | None = None
    reference_value: float | None = None
    reference_value_final: float | None = None
    score_is_final: bool | None = None
    score_direction: float | None = None
    score_magnitude: float | None = None
    estimated_value: float | None = None
    source_model: str | None = None
    group_id: str | None = None
    tag: str | None = None
    extra: dict[str, Any] = msgspec.field(default_factory=dict)


class InsightPage(msgspec.Struct, kw_only=True):
    """The rows of one answer. ``length`` is what the API calls so; nothing may rely on it.

    ``requested_at`` is the time just before the request was sent: the rows are no older than the snapshot
    that the API had then.
    """

    rows: list[Insight]
    requested_at: DateTime
    length: int | None = None


class ExportedInsight(msgspec.Struct, kw_only=True):
    """A row of live/export/insights; ``internal_deploy_id`` is not the ``L-`` id of the deployment."""

    insight: Insight
    project_id: int | None = None
    internal_deploy_id: int | None = None


def read_page(payload: dict[str, Any], requested_at: DateTime, *, endpoint: str) -> InsightPage:
    """Read the answer of live/insights/read.

    :raises UnreadableAnswerError: if it has no list of insights, or a row cannot be read.
    """
    rows = payload.get("insights") or []
    if isinstance(rows, dict):
        rows = list(rows.values())  # as PHP writes a list with gaps
    if not isinstance(rows, list):
        raise UnreadableAnswerError(f"{endpoint} was answered without insights.", endpoint=endpoint)
    length = payload.get("length")
    return InsightPage(
        rows=[read_insight(row, endpoint=endpoint) for row in rows],
        requested_at=requested_at,
        length=length if isinstance(length, int) else None,
    )


def read_insight(row: Any, *, endpoint: str) -> Insight:
    """Read one row.

    :raises UnreadableAnswerError: if it is no object or has no id.
    """
    if not isinstance(row, dict):
        raise UnreadableAnswerError(
            f"{endpoint} was answered with a row that is no object.", endpoint=endpoint
        )
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in row.items():
        field, read = _FIELD_OF_KEY.get(key) or _field_of(key)
        if read is None:
            extra[key] = value
        elif value is not None:
            try:
                values[field] = read(value)
            except (ValueError, TypeError):
                extra[key] = value
    if "insight_id" not in values:
        raise UnreadableAnswerError(
            f"{endpoint} was answered with an insight without id; it has {sorted(row)}.", endpoint=endpoint
        )
    return Insight(**values, extra=extra)


def read_exported(row: Any, *, endpoint: str) -> ExportedInsight:
    """Read one row of an export, whose ids of project and deployment stand beside the insight's fields."""
    insight = read_insight(row, endpoint=endpoint)
    return ExportedInsight(
        insight=insight,
        project_id=_whole_or_none(insight.extra.pop("project_id", None)),
        internal_deploy_id=_whole_or_none(insight.extra.pop("deploy_id", None)),
    )


def _field_of(key: str) -> _Field:
    """Find the field for a key in any spelling, and remember it."""
    name = _FIELD_OF_NORMALISED.get(key.replace("-", "").replace("_", "").lower())
    if name is None:
        return "", None  # not remembered: what the API invents has no end
    _FIELD_OF_KEY[key] = name, _FIELDS[name][0]
    return _FIELD_OF_KEY[key]


def _whole_or_none(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _insight_id(value: Any) -> str:
    return str(value).replace("-", "").lower()


def _number(value: Any) -> float | None:
    number = float(value)  # numbers also come as text
    return number if isfinite(number) else None


def _time(value: Any) -> datetime | None:
    return from_unix_seconds(value) if type(value) in (int, float) else read_time(value)


def _flag(value: Any) -> bool:
    return value if isinstance(value, bool) else bool(msgspec.convert(value, bool, strict=False))


_FIELDS: dict[str, tuple[Callable[[Any], Any], tuple[str, ...]]] = {
    "insight_id": (_insight_id, ("id", "insightid")),
    "generated_at": (_time, ("generatedtime",)),
    "closes_at": (_time, ("closetime",)),
    "symbol": (str, ("symbol", "symbolid")),
    "ticker": (str, ("ticker",)),
    "insight_type": (str, ("type", "insighttype")),
    "direction": (str, ("direction",)),
    "period_seconds": (_number, ("period",)),
    "magnitude": (_number, ("magnitude",)),
    "confidence": (_number, ("confidence",)),
    "weight": (_number, ("weight",)),
    "reference_value": (_number, ("reference", "referencevalue")),
    "reference_value_final": (_number, ("referencefinal", "referencevaluefinal")),
    "score_is_final": (_flag, ("scorefinal", "scoreisfinal")),
    "score_direction": (_number, ("scoredirection",)),
    "score_magnitude": (_number, ("scoremagnitude",)),
    "estimated_value": (_number, ("estimatedvalue",)),
    "source_model": (str, ("sourcemodel",)),
    "group_id": (_insight_id, ("groupid",)),
    "tag": (str, ("tag",)),
}
_FIELD_OF_NORMALISED = {name: field for field, (_, names) in _FIELDS.items() for name in names}
_FIELD_OF_KEY: dict[str, _Field] = {}
