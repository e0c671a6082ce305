"""Reads insights in every spelling that the API has had: docs, OpenAPI, engine file, legacy and export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from math import isfinite
from typing import Any

import msgspec
from pendulum import DateTime

from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.times import from_unix_seconds, read_time

_LONGEST_ID = 100  # far more than an id has, and far less than a database's key may have
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


class OddValue(msgspec.Struct, frozen=True):
    """A value that cannot be right. It was kept out of its field; the rest of the answer was read.

    :param index: which row of the answer, from 0.
    :param field: the API's name of the field; empty if the whole row cannot be read.
    :param value: what came, cut short.
    """

    index: int
    field: str
    value: str


class InsightPage(msgspec.Struct, kw_only=True):
    """The rows of one answer. ``length`` is what the API calls so; nothing may rely on it.

    ``rows`` has one entry for each row of the answer, so that positions can be counted: None where a row
    cannot be read. ``odd_values`` says what was set aside. ``requested_at`` is the time just before the
    request was sent: the rows are no older than the snapshot that the API had then.
    """

    rows: list[Insight | None]
    requested_at: DateTime
    length: int | None = None
    odd_values: list[OddValue] = msgspec.field(default_factory=list)


class ExportedInsight(msgspec.Struct, kw_only=True):
    """A row of live/export/insights; ``internal_deploy_id`` is not the ``L-`` id of the deployment."""

    insight: Insight
    project_id: int | None = None
    internal_deploy_id: int | None = None


def read_page(payload: dict[str, Any], requested_at: DateTime, *, endpoint: str) -> InsightPage:
    """Read the answer of live/insights/read. A row that cannot be read costs only itself.

    :raises UnreadableAnswerError: if it has no list of insights.
    """
    rows = payload.get("insights") or []
    if isinstance(rows, dict):
        rows = list(rows.values())  # as PHP writes a list with gaps
    if not isinstance(rows, list):
        raise UnreadableAnswerError(f"{endpoint} was answered without insights.", endpoint=endpoint)
    length = payload.get("length")
    page = InsightPage(rows=[], requested_at=requested_at, length=length if isinstance(length, int) else None)
    for index, row in enumerate(rows):
        set_aside: list[tuple[str, Any]] = []
        try:
            page.rows.append(read_insight(row, endpoint=endpoint, set_aside=set_aside))
        except UnreadableAnswerError:
            page.rows.append(None)
            set_aside = [("", row)]
        for field, value in set_aside:
            page.odd_values.append(OddValue(index, field, shorten(value)))
    return page


def read_insight(row: Any, *, endpoint: str, set_aside: list[tuple[str, Any]] | None = None) -> Insight:
    """Read one row. A value that cannot be right goes to ``extra`` under the API's name.

    :param set_aside: gets the key and value of each field that could not be read.
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
            except (ValueError, TypeError, ArithmeticError):
                extra[key] = value
                if set_aside is not None:
                    set_aside.append((key, value))
    if "insight_id" not in values:
        raise UnreadableAnswerError(
            f"{endpoint} was answered with an insight without id; it has {sorted(row)}.", endpoint=endpoint
        )
    return Insight(**values, extra=extra)


def shorten(value: Any, limit: int = 80) -> str:
    """Return *value* as text for a log, on one line and cut short."""
    if isinstance(value, (dict, list)):
        text = repr(dict(islice(value.items(), 20)) if isinstance(value, dict) else value[:20])
    elif isinstance(value, int) and value.bit_length() > 512:
        text = f"a number of {value.bit_length():,} bits"
    else:
        text = repr(value[: 2 * limit] if isinstance(value, str) else value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


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
    if not isinstance(value, str):
        raise TypeError(f"not an id: {type(value).__name__}")
    text = value.replace("-", "").strip().lower()
    if not text or len(text) > _LONGEST_ID or not text.isprintable():
        raise ValueError("not an id")
    return text


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
