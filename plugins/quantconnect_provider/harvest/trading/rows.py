"""Rows of the store's tables from what the client reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from quantconnect_provider.client.orders import Order
from quantconnect_provider.client.portfolio import Portfolio
from quantconnect_provider.client.trades import ClosedTrade

_ORDER_FIELDS = (
    "order_id", "ticker", "security_type", "order_type", "direction", "status", "quantity", "price",
    "currency", "value", "limit_price", "stop_price", "trigger_price", "tag", "created_at", "last_fill_at",
    "last_update_at", "canceled_at", "extra",
)  # fmt: skip
_TRADE_FIELDS = (
    "trade_id", "ticker", "direction", "quantity", "entered_at", "exited_at", "duration_seconds",
    "entry_price", "exit_price", "profit_loss", "fees", "mae", "mfe", "end_drawdown", "is_win", "order_ids",
    "extra",
)  # fmt: skip


def order_row(
    order: Order, project_id: int, deploy_id: str, position: int, seen_at: datetime
) -> dict[str, Any]:
    """Return the row of an order."""
    row = _fields(order, _ORDER_FIELDS)
    row.update(project_id=project_id, deploy_id=deploy_id, position=position, symbol=order.symbol_id or None)
    row.update(first_seen_at=seen_at, observed_at=seen_at)
    return row


def fill_rows(order: Order, project_id: int, deploy_id: str, seen_at: datetime) -> Iterator[dict[str, Any]]:
    """Yield a row for each event that filled something of an order."""
    for event in order.events:
        if event.fill_quantity:
            yield {
                "project_id": project_id,
                "deploy_id": deploy_id,
                "order_id": order.order_id,
                "event_id": event.event_id,
                "filled_at": event.at,
                "symbol": event.symbol_id or order.symbol_id or None,
                "ticker": event.ticker or order.ticker or None,
                "quantity": event.fill_quantity,
                "price": event.fill_price,
                "currency": event.currency or order.currency or None,
                "fee": event.fee,
                "fee_currency": event.fee_currency or None,
                "is_assignment": event.is_assignment,
                "message": event.message,
                "first_seen_at": seen_at,
                "observed_at": seen_at,
            }


def trade_row(
    trade: ClosedTrade, project_id: int, deploy_id: str, position: int, seen_at: datetime
) -> dict[str, Any]:
    """Return the row of a closed trade of *deploy_id*."""
    row = _fields(trade, _TRADE_FIELDS)
    row.update(project_id=project_id, deploy_id=deploy_id, position=position, symbol=trade.symbol_id or None)
    row.update(first_seen_at=seen_at, observed_at=seen_at)
    return row


def position_rows(
    portfolio: Portfolio, project_id: int, deploy_id: str, seen_at: datetime
) -> Iterator[dict[str, Any]]:
    """Yield a row for each currency and each security that is held."""
    about = {"project_id": project_id, "deploy_id": deploy_id, "observed_at": seen_at}
    for cash in portfolio.cash.values():
        yield {
            **about, "kind": "cash", "symbol": cash.currency, "ticker": cash.currency,
            "quantity": float(cash.amount), "average_price": None, "market_price": None,
            "market_value": _number(cash.value_in_account_currency), "unrealized": None,
            "currency": cash.currency, "conversion_rate": _number(cash.conversion_rate),
        }  # fmt: skip
    for symbol_id, held in portfolio.holdings.items():
        if held.quantity:
            yield {
                **about, "kind": "holding", "symbol": symbol_id, "ticker": held.symbol or None,
                "quantity": float(held.quantity), "average_price": float(held.average_price),
                "market_price": _number(held.market_price), "market_value": _number(held.market_value),
                "unrealized": _number(held.unrealized), "currency": held.currency_symbol or None,
                "conversion_rate": _number(held.conversion_rate),
            }  # fmt: skip


def _fields(model: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a model; a text that the API did not give is null."""
    return {name: None if (value := getattr(model, name)) == "" else value for name in names}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
