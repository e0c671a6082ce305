"""Orders and their events, as live/orders/read and closed trades have them.

An odd value costs only its field, an event that cannot be read only itself: the order says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from pendulum import DateTime

from quantconnect_provider.client.decode import (
    UNREADABLE,
    Model,
    decode,
    read_length,
    read_text,
    reason_of,
    rows_of,
    wire,
)
from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.odd_values import OddValueReporter

_TYPES = (
    "market", "limit", "stopMarket", "stopLimit", "marketOnOpen", "marketOnClose", "optionExercise",
    "limitIfTouched", "comboMarket", "comboLimit", "comboLegLimit", "trailingStop",
)  # fmt: skip
_STATUSES = (
    "new", "submitted", "partiallyFilled", "filled", "4", "canceled", "none", "invalid", "cancelPending",
    "updateSubmitted",
)  # fmt: skip
_SECURITY_TYPES = (
    "base", "equity", "option", "commodity", "forex", "future", "cfd", "crypto", "futureOption", "index",
    "indexOption", "cryptoFuture",
)  # fmt: skip
_DIRECTIONS = ("buy", "sell", "hold")

FINAL_STATUSES = frozenset({"filled", "canceled", "invalid"})
"""Statuses that an order keeps."""


def _name_from(names: tuple[str, ...]) -> Callable[[Any], str]:
    """Return a reader of an enumeration that the API writes as a number or as a word."""
    by_word = {name.lower(): name for name in names}

    def read(value: Any) -> str:
        if type(value) in (int, float) and value == int(value):
            return names[int(value)] if 0 <= value < len(names) else str(int(value))
        text = read_text(value).strip()
        if text.isascii() and text.isdigit() and int(text[:9]) < len(names):
            return names[int(text)]
        return by_word.get(text.lower(), text)

    return read


_Status = Annotated[str, _name_from(_STATUSES)]
_Direction = Annotated[str, _name_from(_DIRECTIONS)]


class OrderEvent(Model, kw_only=True):
    """Something that happened to an order; a fill if ``fill_quantity`` (signed) is not zero.

    ``deploy_id`` is the deployment of the order, ``event_id`` counts from 1 within the order. ``fee`` is in
    ``fee_currency``.
    """

    event_id: int = wire("orderEventId", "order-event-id")
    deploy_id: str = wire("algorithmId", "algorithm-id", default="")
    order_id: int | None = wire("orderId", "order-id", default=None)
    symbol_id: str = wire("symbol", default="")
    ticker: str = wire("symbolValue", "symbol-value", default="")
    at: DateTime | None = wire("time", default=None)
    status: _Status = ""
    direction: _Direction = ""
    quantity: float | None = None
    fill_quantity: float = wire("fillQuantity", "fill-quantity", default=0.0)
    fill_price: float | None = wire("fillPrice", "fill-price", default=None)
    currency: str = wire("fillPriceCurrency", "fill-price-currency", default="")
    fee: float | None = wire("orderFeeAmount", "order-fee-amount", default=None)
    fee_currency: str = wire("orderFeeCurrency", "order-fee-currency", default="")
    message: str | None = None
    is_assignment: bool | None = wire("isAssignment", "is-assignment", default=None)


class Order(Model, kw_only=True):
    """An order of one deployment; ``order_id`` counts from 1 in each.

    ``quantity`` is signed: negative sells. ``price`` is the average of the fills, in ``currency``. Types,
    statuses and directions are words, e.g. ``stopMarket``, ``partiallyFilled``, ``buy``; one that is not
    known is as the API has it. ``unread_events`` counts events that cannot be read.
    """

    order_id: int = wire("id")
    symbol_id: str = ""
    ticker: str = ""
    security_type: Annotated[str, _name_from(_SECURITY_TYPES)] = ""
    order_type: Annotated[str, _name_from(_TYPES)] = wire("type", default="")
    direction: _Direction = ""
    status: _Status = ""
    quantity: float | None = None
    price: float | None = None
    currency: str = wire("priceCurrency", default="")
    value: float | None = None
    limit_price: float | None = None
    stop_price: float | None = None
    trigger_price: float | None = None
    tag: str | None = None
    created_at: DateTime | None = wire("createdTime", "time", default=None)
    last_fill_at: DateTime | None = wire("lastFillTime", default=None)
    last_update_at: DateTime | None = wire("lastUpdateTime", default=None)
    canceled_at: DateTime | None = wire("canceledTime", default=None)
    events: list[OrderEvent] = msgspec.field(default_factory=list)
    unread_events: int = 0

    @property
    def deploy_id(self) -> str:
        """The deployment that its events name; empty if it has no events."""
        return next((event.deploy_id for event in self.events if event.deploy_id), "")

    @property
    def is_final(self) -> bool:
        """Whether nothing about it can change any more."""
        return self.status in FINAL_STATUSES and not self.unread_events


class OrderPage(msgspec.Struct, kw_only=True):
    """The orders of one response of live/orders/read.

    ``rows`` has one entry for each row of the response, so that positions can be counted: None where a row
    cannot be read. ``length`` is the number of orders of the project, of all its deployments. No rows at the
    start does not mean that there are none: the API may still be loading them. ``requested_at`` is the time
    just before the request was sent.
    """

    rows: list[Order | None]
    requested_at: DateTime
    length: int | None = None


_EVENT_ID = frozenset({"id"})
_NOT_FIELDS = frozenset({"events", "symbol", "symbolId", "ticker", "unreadEvents"})


def read_orders(
    payload: Any, *, endpoint: str, odd: OddValueReporter, name: str = "orders"
) -> list[Order | None]:
    """Read a list of orders; None where a row cannot be read, which is logged.

    :raises UnreadableAnswerError: if *payload* is no list.
    """
    orders: list[Order | None] = []
    for place, row in enumerate(rows_of(payload, name=name, endpoint=endpoint)):
        try:
            orders.append(_order(row, place, endpoint, odd))
        except UnreadableAnswerError as error:
            orders.append(None)
            odd.warn(endpoint, "", row, error.args[0], row=place)
    return orders


def read_symbol(value: Any) -> tuple[str, str]:
    """Return security id and ticker of a symbol, which is an object ``{value, id, permtick}`` or an id.

    :raises ValueError: if it is neither.
    """
    if isinstance(value, dict):
        symbol_id, ticker = value.get("id"), value.get("value")
        return read_text(symbol_id or ticker or ""), read_text(ticker or symbol_id or "")
    text = read_text(value)
    return text, text.partition(" ")[0]


def _order(row: Any, place: int, endpoint: str, odd: OddValueReporter) -> Order:
    if not isinstance(row, dict):
        raise UnreadableAnswerError(f"not an object but {type(row).__name__}", endpoint=endpoint)
    fields = {key: value for key, value in row.items() if key not in _NOT_FIELDS}
    order = decode(Order, fields, endpoint=endpoint, odd=odd, row=place)
    if row.get("symbol") is not None:
        try:
            order.symbol_id, order.ticker = read_symbol(row["symbol"])
        except UNREADABLE as error:
            order.extra["symbol"] = row["symbol"]
            odd.warn(endpoint, "symbol", row["symbol"], reason_of(error), row=place)
    events = row.get("events")
    if events is not None and not isinstance(events, (list, dict)):
        order.unread_events = 1
        odd.warn(endpoint, "events", events, "no list", row=place)
        return order
    for event in events.values() if isinstance(events, dict) else events or ():
        try:
            order.events.append(_event(event, place, endpoint, odd))
        except UnreadableAnswerError as error:
            order.unread_events += 1
            odd.warn(endpoint, "events", event, error.args[0], row=place)
    return order


def _event(row: Any, place: int, endpoint: str, odd: OddValueReporter) -> OrderEvent:
    if isinstance(row, dict) and not {"orderEventId", "order-event-id"} & row.keys():
        row = {**row, "orderEventId": str(row.get("id")).rpartition("-")[2]}
    event = decode(OrderEvent, row, endpoint=endpoint, odd=odd, row=place, ignored=_EVENT_ID)
    for name in ("fillQuantity", "fill-quantity"):
        if name in event.extra:  # without it, nobody can say what was bought
            raise UnreadableAnswerError(f"{endpoint}: an event's {name} cannot be read", endpoint=endpoint)
    return event


def read_order_page(
    payload: dict[str, Any], requested_at: DateTime, *, endpoint: str, odd: OddValueReporter
) -> OrderPage:
    """Read the response of live/orders/read.

    :raises UnreadableAnswerError: if it has no list of orders.
    """
    rows = read_orders(payload.get("orders"), endpoint=endpoint, odd=odd)
    return OrderPage(rows=rows, requested_at=requested_at, length=read_length(payload))
