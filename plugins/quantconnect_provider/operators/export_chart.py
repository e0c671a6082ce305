"""Exporting a chart of a project's newest deployment."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.times import utc_now
from quantconnect_provider.tasks.export_operator import QuantConnectExportOperator
from quantconnect_provider.tasks.inputs import text_or_none, time_or_none, whole_number_of

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.client.charts import Chart

HEADER = ("series", "unit", "x", "value", "open", "high", "low", "close")
_VALUES_OF_CANDLE = 4


class QuantConnectExportChartOperator(QuantConnectExportOperator):
    """Writes a chart of a project's newest deployment (live/chart/read) to a path, as CSV.

    A row is a point: ``series``, ``unit``, ``x`` (unix seconds; in a scatter chart what it has as x), and
    ``value``, or ``open`` to ``close`` of a candle. What the API has no number for is empty. Returns path and
    bytes.

    :param chart: e.g. ``Strategy Equity``, ``Drawdown``, ``Benchmark``, or one of the algorithm's own.
    :param start: the earliest point, ISO 8601 or unix seconds; by default the deployment's launch.
    :param end: the latest point; by default now.
    :param max_points: of each series, at most.

    The other parameters are those of
    :class:`~quantconnect_provider.tasks.export_operator.QuantConnectExportOperator`.
    """

    template_fields: Sequence[str] = (
        *QuantConnectExportOperator.template_fields,
        "chart",
        "start",
        "end",
        "max_points",
    )

    def __init__(
        self,
        *,
        chart: str = "Strategy Equity",
        start: str | XComArg | None = None,
        end: str | XComArg | None = None,
        max_points: int | str = 10_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.chart = chart
        self.start = start
        self.end = end
        self.max_points = max_points

    def pieces(self, client: QuantConnectClient, project_id: int) -> Iterator[bytes]:
        """Yield the chart as CSV."""
        count = whole_number_of(self.max_points, "max_points", minimum=1)
        end = time_or_none(self.end, "end") or utc_now()
        start = time_or_none(self.start, "start") or client.read_live(project_id).launched_at
        earliest = int(start.timestamp()) if start else 0
        chart = client.read_chart(
            project_id, text_or_none(self.chart) or "", count, earliest, int(end.timestamp())
        )
        points = sum(len(series.points) for series in chart.series.values())
        self.log.info("%r has %d series with %s points.", chart.name, len(chart.series), f"{points:,}")
        yield from _as_csv(chart)


def _as_csv(chart: Chart) -> Iterator[bytes]:
    """Yield the header, then the points of one series after the other."""
    yield _line(HEADER)
    for name, series in chart.series.items():
        for x, *values in series.points:
            cells = ["", *values] if len(values) == _VALUES_OF_CANDLE else values[:1]
            yield _line((name, series.unit, x, *cells))


def _line(cells: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([*cells, *[""] * (len(HEADER) - len(cells))])
    return text.getvalue().encode(errors="replace")
