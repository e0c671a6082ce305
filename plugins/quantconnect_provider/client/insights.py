"""Reads insights in every spelling that the API has had: docs, OpenAPI, engine file, legacy and export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from math import isfinite
from typing import Any

import msgspec
from pendulum import DateTime

from quantconnect_provider.client.decode import (
    UNREADABLE,
    read_flag,
    read_length,
    read_number,
    read_text,
    read_whole,
    rows_of,
)
from quantconnect_provider.client.odd_values import OddValue, shorten
from quantconnect_provider.client.times import (
    EARLIEST_UNIX_SECONDS,
    LATEST_UNIX_SECONDS,
    from_unix_time,
    read_time,
)

_LONGEST_ID = 100  # far more than an id has, and far less than a database's key may have
_Field = tuple[str, Callable[[Any], Any] | None]  # its name, and how its value is read


class Insight(msgspec.Struct, kw_only=True):
    """One prediction of an algorithm (live/insights/read).

    Fields may change until the insight is closed and finally scored. ``insight_id`` is 32 hex digits;
    ``closes_at`` lies in 2050 for insights that never expire. Keys that this version does not know, and
    values that cannot be right, are kept in ``extra`` under the API's name.
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
    """The rows of one response. ``length`` is what the API calls so; nothing may rely on it.

    ``rows`` has one entry for each row of the response, so that positions can be counted: None where a row
    cannot be read. ``odd_values`` names what was set aside. ``requested_at`` is the time just before the
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
    """Read the response of live/insights/read. A row that cannot be read costs only itself.

    :raises UnreadableAnswerError: if it has no list of insights.
    """
    page = InsightPage(rows=[], requested_at=requested_at, length=read_length(payload))
    for index, row in enumerate(rows_of(payload.get("insights"), name="insights", endpoint=endpoint)):
        set_aside: list[tuple[str, Any]] = []
        insight = read_insight(row, set_aside)
        page.rows.append(insight)
        if insight is None:
            page.odd_values.append(OddValue(index, "", shorten(row)))
        elif set_aside:
            page.odd_values += [OddValue(index, key, shorten(value)) for key, value in set_aside]
    return page


def read_insight(row: Any, set_aside: list[tuple[str, Any]]) -> Insight | None:
    """Read one row; None if it is no object or has no id. What cannot be right goes to ``extra``.

    :param set_aside: gets key and value of each field that cannot be read.
    """
    if not isinstance(row, dict):
        return None
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in row.items():
        field, read = _FIELD_OF_KEY.get(key) or _field_of(key)
        if read is None:
            extra[key] = value
        elif value is not None:
            try:
                values[field] = read(value)
            except UNREADABLE:
                set_aside.append((key, value))
    if "insight_id" not in values:
        return None
    if "ticker" not in values and isinstance(row.get("symbol"), dict):
        values["ticker"] = _ticker_of(row["symbol"])
    for key, value in set_aside:
        # JSON has no NaN
        extra[key] = str(value) if isinstance(value, float) and not isfinite(value) else value
    return Insight(**values, extra=extra)


def read_exported(row: Any, set_aside: list[tuple[str, Any]]) -> ExportedInsight | None:
    """Read one row of an export, whose ids of project and deployment stand beside the insight's fields."""
    insight = read_insight(row, set_aside)
    if insight is None:
        return None
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
        return read_whole(value)
    except UNREADABLE:
        return None


def _insight_id(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not an id")
    text = value.replace("-", "").strip().lower()
    if not text or len(text) > _LONGEST_ID or not text.isprintable():
        raise ValueError("not an id")
    return text


def _number(value: Any) -> float:
    if type(value) is float and isfinite(value):
        return value
    return read_number(value)


def _time(value: Any) -> datetime | None:
    if type(value) in (float, int):
        if EARLIEST_UNIX_SECONDS <= value < LATEST_UNIX_SECONDS:
            return datetime.fromtimestamp(value, timezone.utc)
        return from_unix_time(value) if value else None
    return read_time(value)


def _text(value: Any) -> str:
    return value if type(value) is str else read_text(value)


def _symbol(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("id")  # as in orders: {"value": "SPY", "id": "SPY R735QTJ8XC9X", "permtick": "SPY"}
    return _text(value)


def _ticker(value: Any) -> str:
    return _text(value.get("value") if isinstance(value, dict) else value)


def _ticker_of(symbol: dict[str, Any]) -> str | None:
    ticker = symbol.get("value")
    return ticker if isinstance(ticker, str) else None


_FIELDS: dict[str, tuple[Callable[[Any], Any], tuple[str, ...]]] = {
    "insight_id": (_insight_id, ("id", "insightid")),
    "generated_at": (_time, ("generatedtime",)),
    "closes_at": (_time, ("closetime",)),
    "symbol": (_symbol, ("symbol", "symbolid")),
    "ticker": (_ticker, ("ticker",)),
    "insight_type": (_text, ("type", "insighttype")),
    "direction": (_text, ("direction",)),
    "period_seconds": (_number, ("period",)),
    "magnitude": (_number, ("magnitude",)),
    "confidence": (_number, ("confidence",)),
    "weight": (_number, ("weight",)),
    "reference_value": (_number, ("reference", "referencevalue")),
    "reference_value_final": (_number, ("referencefinal", "referencevaluefinal")),
    "score_is_final": (read_flag, ("scorefinal", "scoreisfinal")),
    "score_direction": (_number, ("scoredirection",)),
    "score_magnitude": (_number, ("scoremagnitude",)),
    "estimated_value": (_number, ("estimatedvalue",)),
    "source_model": (_text, ("sourcemodel",)),
    "group_id": (_insight_id, ("groupid",)),
    "tag": (_text, ("tag",)),
}
_FIELD_OF_NORMALISED = {name: field for field, (_, names) in _FIELDS.items() for name in names}
_FIELD_OF_KEY: dict[str, _Field] = {}
