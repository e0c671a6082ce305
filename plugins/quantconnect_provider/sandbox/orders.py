"""Orders and their events, and how live/orders/read writes them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

MARKET, LIMIT, STOP_MARKET = 0, 1, 2
TYPE_NAMES = {MARKET: "Market", LIMIT: "Limit", STOP_MARKET: "Stop Market"}
STATUSES = {"submitted": 1, "partiallyFilled": 2, "filled": 3, "canceled": 5, "invalid": 7}
"""An order's status by that of its last event; there is no 4."""
EQUITY, CRYPTO = 1, 7
HALF_SPREAD = 0.05


@dataclass(frozen=True)
class OrderEvent:
    """Something that happened to an order at `at` (unix seconds); quantities are signed."""

    at: float
    status: str
    fill_quantity: float = 0.0
    fill_price: float = 0.0
    fee: float = 0.0
    message: str | None = None


@dataclass
class Order:
    """An order of one deployment; `order_id` counts from 1 in each."""

    order_id: int
    deploy_id: str
    symbol_id: str
    quantity: float
    kind: int
    created: float
    price: float
    tag: str = ""
    events: list[OrderEvent] = field(default_factory=list)

    @property
    def ticker(self) -> str:
        """The first part of the security's id."""
        return self.symbol_id.split(" ", 1)[0]

    def until(self, at: float) -> list[OrderEvent]:
        """List the events up to this time."""
        return [event for event in self.events if event.at <= at]

    def status(self, at: float) -> str:
        """Return the status at this time, as events write it."""
        return self.until(at)[-1].status


def iso(moment: float, digits: int = 0) -> str:
    """Write a time as orders do: UTC with a Z, and 7 digits of a second in exports."""
    when = dt.datetime.fromtimestamp(moment, dt.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%S") + (f".{when.microsecond:06d}0" if digits else "") + "Z"


def symbol_of(symbol_id: str) -> dict[str, str]:
    """Write a symbol as orders and trades do."""
    ticker = symbol_id.split(" ", 1)[0]
    return {"value": ticker, "id": symbol_id, "permtick": ticker}


def filled(events: list[OrderEvent]) -> tuple[float, float]:
    """Return the quantity filled (signed) and its value."""
    fills = [event for event in events if event.fill_quantity]
    value = sum(event.fill_quantity * event.fill_price for event in fills)
    return round(sum(event.fill_quantity for event in fills), 8), round(value, 8)


def order_row(order: Order, at: float) -> dict[str, Any]:
    """Write an order as it was at `at`."""
    events = order.until(at)
    quantity, value = filled(events)
    fills = [event.at for event in events if event.fill_quantity]
    last = events[-1]
    return {
        "type": order.kind,
        "id": order.order_id,
        "contingentId": 0,
        "brokerId": [str(order.order_id)],
        "symbol": symbol_of(order.symbol_id),
        **({"limitPrice": order.price} if order.kind == LIMIT else {}),
        **({"stopPrice": order.price} if order.kind == STOP_MARKET else {}),
        "price": round(value / quantity, 4) if quantity else 0.0,
        "priceCurrency": "USD",
        "time": iso(order.created),
        "createdTime": iso(order.created),
        **({"lastFillTime": iso(fills[-1])} if fills else {}),
        **({"lastUpdateTime": iso(last.at)} if len(events) > 1 else {}),
        **({"canceledTime": iso(last.at)} if last.status == "canceled" else {}),
        "quantity": order.quantity,
        "status": STATUSES[last.status],
        "tag": order.tag,
        "properties": {"timeInForce": {}},
        "securityType": CRYPTO if order.symbol_id.endswith(" 2XR") else EQUITY,
        "direction": 0 if order.quantity > 0 else 1,
        "value": value,
        "orderSubmissionData": {
            "bidPrice": round(order.price - HALF_SPREAD, 4),
            "askPrice": round(order.price + HALF_SPREAD, 4),
            "lastPrice": order.price,
        },
        "isMarketable": order.kind == MARKET,
        "priceAdjustmentMode": 1,
        "events": [_event_row(order, number, event) for number, event in enumerate(events, 1)],
    }


def _event_row(order: Order, number: int, event: OrderEvent) -> dict[str, Any]:
    ticker = order.ticker
    return {
        "id": f"{order.deploy_id}-{order.order_id}-{number}",
        "algorithmId": order.deploy_id,
        "orderId": order.order_id,
        "orderEventId": number,
        "symbol": order.symbol_id,
        "symbolValue": ticker,
        "symbolPermtick": ticker,
        "time": float(event.at),
        "status": event.status,
        **({"orderFeeAmount": event.fee, "orderFeeCurrency": "USD"} if event.fee else {}),
        "fillPrice": event.fill_price,
        "fillPriceCurrency": "USD",
        "fillQuantity": event.fill_quantity,
        "direction": "buy" if order.quantity > 0 else "sell",
        "message": event.message,
        "isAssignment": False,
        "quantity": order.quantity,
        **({"limitPrice": order.price} if order.kind == LIMIT else {}),
        **({"stopPrice": order.price} if order.kind == STOP_MARKET else {}),
    }
