"""Closed trades, derived from fills, and how live/trades/read writes them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

from quantconnect_provider.sandbox.orders import Order, OrderEvent, iso, order_row, symbol_of


@dataclass
class _Lot:
    """What is still open of one fill."""

    order: Order
    event: OrderEvent
    quantity: float


class ClosedTrade(NamedTuple):
    """An entry and the exit that closed it; `quantity` is unsigned, `direction` 0 long or 1 short."""

    entry: Order
    exit: Order
    entry_at: float
    exit_at: float
    entry_price: float
    exit_price: float
    quantity: float
    direction: int
    fees: float

    @property
    def order_ids(self) -> list[int]:
        """The ids of the entry's and the exit's order; one if an order turned the position round and back."""
        return list(dict.fromkeys([self.entry.order_id, self.exit.order_id]))

    @property
    def profit(self) -> float:
        """Gross profit or loss, in the account's currency."""
        gain = (self.exit_price - self.entry_price) * self.quantity
        return round(gain if self.direction == 0 else -gain, 8)


class TradeBuilder:
    """Matches each fill with the oldest open ones of the other side; begins empty with each deployment."""

    def __init__(self) -> None:
        self.trades: list[ClosedTrade] = []
        self._open: dict[str, list[_Lot]] = defaultdict(list)

    def add(self, order: Order, event: OrderEvent) -> None:
        """Take in a fill."""
        lots, left = self._open[order.symbol_id], event.fill_quantity
        while lots and left and lots[0].quantity * left < 0:
            lot = lots[0]
            matched = min(abs(lot.quantity), abs(left))
            self.trades.append(_trade(lot, order, event, matched))
            left = _less(left, matched)
            lot.quantity = _less(lot.quantity, matched)
            if not lot.quantity:
                lots.pop(0)
        if left:
            lots.append(_Lot(order, event, left))


def _less(quantity: float, matched: float) -> float:
    return round(quantity - matched if quantity > 0 else quantity + matched, 8)


def _trade(lot: _Lot, order: Order, event: OrderEvent, matched: float) -> ClosedTrade:
    entry = lot.event
    fees = entry.fee * matched / abs(entry.fill_quantity) + event.fee * matched / abs(event.fill_quantity)
    return ClosedTrade(
        lot.order, order, entry.at, event.at, entry.fill_price, event.fill_price, matched,
        0 if lot.quantity > 0 else 1, round(fees, 8),
    )  # fmt: skip


def trade_row(trade: ClosedTrade, trade_id: str, at: float) -> dict[str, Any]:
    """Write a trade.

    :param trade_id: 32 hex digits
    :param at: the time as of which its orders are shown
    """
    entry, last = trade.entry, trade.exit
    orders = [entry] if entry is last else [entry, last]
    return {
        "id": "-".join((trade_id[:8], trade_id[8:12], trade_id[12:16], trade_id[16:20], trade_id[20:])),
        "symbols": [symbol_of(entry.symbol_id)],
        "entryTime": iso(trade.entry_at),
        "entryPrice": trade.entry_price,
        "direction": trade.direction,
        "quantity": trade.quantity,
        "exitTime": iso(trade.exit_at),
        "exitPrice": trade.exit_price,
        "profitLoss": trade.profit,
        "totalFees": trade.fees,
        "mae": min(trade.profit, 0.0),
        "mfe": max(trade.profit, 0.0),
        "duration": time_span(trade.exit_at - trade.entry_at),
        "endTradeDrawdown": max(-trade.profit, 0.0),
        "isWin": trade.profit > 0,
        "orderIds": trade.order_ids,
        "orders": [order_row(order, at) for order in orders],
    }


def time_span(seconds: float) -> str:
    """Write a duration as .NET does: [d.]hh:mm:ss[.fffffff]."""
    span = dt.timedelta(seconds=round(seconds, 6))
    hours, rest = divmod(span.seconds, 3600)
    days = f"{span.days}." if span.days else ""
    fraction = f".{span.microseconds:06d}0" if span.microseconds else ""
    return f"{days}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}{fraction}"
