"""Closed trades, as live/trades/read has them."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from pendulum import DateTime

from quantconnect_provider.client.decode import (
    UNREADABLE,
    Model,
    decode,
    read_length,
    read_number,
    read_text,
    read_whole,
    reason_of,
    rows_of,
    wire,
)
from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.odd_values import OddValueReporter
from quantconnect_provider.client.orders import read_symbol

_TIME_SPAN = re.compile(r"(-)?(?:(\d{1,7})\.)?(\d{1,2}):(\d\d):(\d\d(?:\.\d+)?)")


def _direction(value: Any) -> str:
    text = read_text(value).strip().lower().removesuffix(".0")
    return {"0": "long", "1": "short", "buy": "long", "sell": "short"}.get(text, text)


def _seconds(value: Any) -> float:
    """Read a duration as .NET writes it, ``[d.]hh:mm:ss[.fffffff]``, or seconds."""
    found = _TIME_SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return read_number(value)
    sign, days, hours, minutes, seconds = found.groups()
    total = int(days or 0) * 86_400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return -total if sign else total


def _order_ids(value: Any) -> list[int]:
    if isinstance(value, dict):  # PHP writes a sparse list as an object
        value = list(value.values())
    if not isinstance(value, list):
        raise ValueError(f"not a list but {type(value).__name__}")
    return [read_whole(entry) for entry in value]


class ClosedTrade(Model, kw_only=True):
    """An entry and the exit that closed it.

    ``quantity`` is unsigned, ``direction`` is ``long`` or ``short``. Prices are averages; ``profit_loss`` is
    before fees, in the account's currency. ``deploy_id`` is what the trade's orders name, or empty.
    """

    trade_id: str = wire("id")
    deploy_id: str = ""
    symbol_id: str = ""
    ticker: str = ""
    direction: Annotated[str, _direction] = ""
    quantity: float | None = None
    entered_at: DateTime | None = wire("entryTime", default=None)
    exited_at: DateTime | None = wire("exitTime", default=None)
    duration_seconds: Annotated[float | None, _seconds] = wire("duration", default=None)
    entry_price: float | None = None
    exit_price: float | None = None
    profit_loss: float | None = None
    fees: float | None = wire("totalFees", default=None)
    mae: float | None = None
    mfe: float | None = None
    end_drawdown: float | None = wire("endTradeDrawdown", default=None)
    is_win: bool | None = None
    order_ids: Annotated[list[int], _order_ids] = msgspec.field(default_factory=list)


class TradePage(msgspec.Struct, kw_only=True):
    """The closed trades of one response of live/trades/read; ``rows`` has None where one cannot be read.

    ``length`` is the number of all that match. ``requested_at`` is the time just before the request was sent.
    """

    rows: list[ClosedTrade | None]
    requested_at: DateTime
    length: int | None = None


_IGNORED = frozenset({"orders", "symbols"})  # the orders are those of live/orders/read
_NOT_FIELDS = frozenset({"deployId", "symbolId", "ticker"})


def read_trade_page(
    payload: dict[str, Any], requested_at: DateTime, *, endpoint: str, odd: OddValueReporter
) -> TradePage:
    """Read the response of live/trades/read.

    :raises UnreadableAnswerError: if it has no list of trades.
    """
    rows: list[ClosedTrade | None] = []
    for place, row in enumerate(rows_of(payload.get("trades"), name="trades", endpoint=endpoint)):
        try:
            rows.append(_trade(row, place, endpoint, odd))
        except UnreadableAnswerError as error:
            rows.append(None)
            odd.warn(endpoint, "", row, error.args[0], row=place)
    return TradePage(rows=rows, requested_at=requested_at, length=read_length(payload))


def _trade(row: Any, place: int, endpoint: str, odd: OddValueReporter) -> ClosedTrade:
    fields = {key: row[key] for key in row if key not in _NOT_FIELDS} if isinstance(row, dict) else row
    trade = decode(ClosedTrade, fields, endpoint=endpoint, odd=odd, row=place, ignored=_IGNORED)
    symbols = row.get("symbols") or row.get("symbol")
    first = symbols[0] if isinstance(symbols, list) and symbols else symbols
    if first:
        try:
            trade.symbol_id, trade.ticker = read_symbol(first)
        except UNREADABLE as error:
            trade.extra["symbols"] = symbols
            odd.warn(endpoint, "symbols", symbols, reason_of(error), row=place)
    if isinstance(symbols, list) and len(symbols) > 1:
        trade.extra["symbols"] = symbols
    trade.deploy_id = _deployment(row.get("orders"))
    return trade


def _deployment(orders: Any) -> str:
    """Return the deployment that the events of a trade's orders name; empty if none does, or two."""
    named: set[str] = set()
    for order in orders if isinstance(orders, list) else ():
        events = order.get("events") if isinstance(order, dict) else None
        for event in events if isinstance(events, list) else ():
            deploy_id = event.get("algorithmId") if isinstance(event, dict) else None
            if isinstance(deploy_id, str) and deploy_id:
                named.add(deploy_id)
    return named.pop() if len(named) == 1 else ""
