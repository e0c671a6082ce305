"""Charts, as live/chart/read has them."""

from __future__ import annotations

from typing import Any

import msgspec

from quantconnect_provider.client.decode import UNREADABLE, Model, decode, read_number, rows_of
from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.odd_values import OddValueReporter

_VALUES_OF_CANDLE = ("o", "h", "l", "c")


class Series(Model, kw_only=True):
    """One series of a chart.

    ``points`` are ``[unix seconds, value, ...]`` in ascending order: one value for a line, four for a candle
    (open, high, low, close), None where the API has none. For a scatter chart the first is x.
    """

    name: str = ""
    unit: str = ""
    index: int | None = None
    series_type: int | None = None
    points: list[list[float | None]] = msgspec.field(default_factory=list)


class Chart(Model, kw_only=True):
    """A chart: its series by name."""

    name: str = ""
    chart_type: int | None = None
    series: dict[str, Series] = msgspec.field(default_factory=dict)


_VALUES = frozenset({"values", "points"})


def read_chart(payload: dict[str, Any], *, endpoint: str, odd: OddValueReporter) -> Chart:
    """Read the response of live/chart/read; a point that cannot be read is logged and left out.

    :raises UnreadableAnswerError: if the response holds no chart.
    """
    body = payload.get("chart")
    fields = {key: body[key] for key in body if key != "series"} if isinstance(body, dict) else body
    chart = decode(Chart, fields, endpoint=endpoint, odd=odd)
    series = body.get("series") if isinstance(body, dict) else None
    if not isinstance(series, dict):  # PHP writes an empty object as a list
        rows = rows_of(series or [], name="series", endpoint=endpoint)
        series = {str(place): row for place, row in enumerate(rows)}
    for key, row in series.items():
        try:
            one = _series(row, endpoint, odd)
        except UnreadableAnswerError as error:
            odd.warn(endpoint, key, row, error.args[0])
            continue
        one.name = one.name or str(key)
        chart.series[one.name] = one
    return chart


def _series(row: Any, endpoint: str, odd: OddValueReporter) -> Series:
    fields = {key: row[key] for key in row if key not in _VALUES} if isinstance(row, dict) else row
    series = decode(Series, fields, endpoint=endpoint, odd=odd)
    values = row.get("values")
    for place, point in enumerate(
        rows_of([] if values is None else values, name="values", endpoint=endpoint)
    ):
        try:
            series.points.append(_point(point))
        except UNREADABLE as error:
            odd.warn(endpoint, "values", point, error, row=place)
    return series


def _point(value: Any) -> list[float | None]:
    if isinstance(value, dict):
        has_candle = "o" in value
        names = _VALUES_OF_CANDLE if has_candle else ("y",)
        value = [value.get("x", value.get("t")), *(value.get(name) for name in names)]
    if not isinstance(value, list) or len(value) < 2:
        raise ValueError("not a point")
    return [read_number(value[0]), *(None if entry is None else read_number(entry) for entry in value[1:])]
