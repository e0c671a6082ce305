"""The charts of a deployment, drawn from its worth over time and from its fills."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.equity_curve import Candle, drawdowns
from quantconnect_provider.sandbox.orders import OrderEvent

Points = list[list[float | None]]
LINE, CANDLE, BAR, TREEMAP = 0, 2, 3, 7


def read_chart(deployment: Deployment, name: str, start: int, end: int, count: int) -> dict[str, Any] | None:
    """Draw a chart from `start` to `end` (unix seconds, exclusive); None if there is no such chart."""
    last = deployment.silent_since if deployment.stopped is None else deployment.stopped
    end = end if last is None else min(end, int(last) + 1)
    candles = deployment.account.curve.candles(max(start, int(deployment.launched)), end, count)
    if name == "Assets Sales Volume":
        series = _sales(deployment, start, end)
    elif name in deployment.settings.charts:
        series = [_series(name, "", LINE, [[c.at, _plotted(deployment, c.at)] for c in candles])]
    elif name in _DRAWN:
        series = _DRAWN[name](deployment, candles)
    else:
        return None
    return {"name": name, "chartType": 0, "series": {one["name"]: one for one in series}}


def _series(name: str, unit: str, kind: int, values: Points, index: int = 0) -> dict[str, Any]:
    look = {} if kind == CANDLE else {"color": "#1f77b4", "scatterMarkerSymbol": "none"}
    return {"name": name, "unit": unit, "index": index, "seriesType": kind, "values": values, **look}


def _equity(deployment: Deployment, candles: list[Candle]) -> list[dict[str, Any]]:
    returns: Points = []
    before = deployment.account.first_equity
    for candle in candles:
        returns.append([candle.at, (candle.close / before - 1) * 100 if before else None])
        before = candle.close
    rows: Points = [[c.at, c.open, c.high, c.low, c.close] for c in candles]
    return [_series("Equity", "$", CANDLE, rows), _series("Return", "%", BAR, returns, 1)]


def _drawdown(deployment: Deployment, candles: list[Candle]) -> list[dict[str, Any]]:
    points = zip(candles, drawdowns(candles), strict=True)
    return [_series("Equity Drawdown", "%", LINE, [[candle.at, percent] for candle, percent in points])]


def _benchmark(deployment: Deployment, candles: list[Candle]) -> list[dict[str, Any]]:
    return [_series("Benchmark", "", LINE, [[c.at, _plotted(deployment, c.at)] for c in candles])]


def _plotted(deployment: Deployment, at: float) -> float:
    generator = deployment.orders.generator
    return generator.price(generator.settings.symbols[0], at)


def _exposure(deployment: Deployment, candles: list[Candle]) -> list[dict[str, Any]]:
    long: Points = [[c.at, c.last.long / c.last.equity if c.last.equity else None] for c in candles]
    short = [[c.at, c.last.short / c.last.equity if c.last.equity else None] for c in candles]
    return [
        _series("Equity - Long Ratio", "", LINE, long),
        _series("Equity - Short Ratio", "", LINE, short),
    ]


def _margin(deployment: Deployment, candles: list[Candle]) -> list[dict[str, Any]]:
    used = [
        [c.at, (c.last.long - c.last.short) / c.last.equity * 50 if c.last.equity else None] for c in candles
    ]
    return [_series("Used", "%", LINE, used)]


def _turnover(deployment: Deployment, candles: list[Candle]) -> list[dict[str, Any]]:
    ends = [*(candle.at for candle in candles[1:]), float("inf")][: len(candles)]
    points: Points = []
    for candle, end in zip(candles, ends, strict=True):
        traded = sum(abs(fill.fill_quantity * fill.fill_price)
                     for _, fill in _fills(deployment) if candle.at <= fill.at < end)  # fmt: skip
        points.append([candle.at, traded / candle.close * 100 if candle.close else None])
    return [_series("Portfolio Turnover", "%", LINE, points)]


def _sales(deployment: Deployment, start: float, end: float) -> list[dict[str, Any]]:
    volumes: dict[str, float] = {}
    last: dict[str, float] = {}
    for ticker, fill in _fills(deployment):
        if start <= fill.at < end:
            volumes[ticker] = volumes.get(ticker, 0.0) + abs(fill.fill_quantity * fill.fill_price)
            last[ticker] = fill.at
    return [_series(ticker, "$", TREEMAP, [[int(last[ticker]), volumes[ticker]]]) for ticker in volumes]


def _fills(deployment: Deployment) -> list[tuple[str, OrderEvent]]:
    return [
        (order.ticker, event)
        for order in deployment.orders.orders
        for event in order.events
        if event.fill_quantity
    ]


_DRAWN = {
    "Strategy Equity": _equity,
    "Drawdown": _drawdown,
    "Benchmark": _benchmark,
    "Exposure": _exposure,
    "Portfolio Margin": _margin,
    "Portfolio Turnover": _turnover,
}
