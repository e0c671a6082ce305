"""A deployment's cash and holdings, as live/portfolio/read tells them now and told them before."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from quantconnect_provider.client.decode import Model, decode, wire
from quantconnect_provider.client.errors import UnreadableAnswerError


class CashHolding(Model, kw_only=True):
    """An amount of one currency."""

    currency: str = wire("symbol", "currency", "Symbol", default="")
    amount: Decimal = wire("amount", "Amount")
    value_in_account_currency: Decimal | None = wire(
        "valueInAccountCurrency", "ValueInAccountCurrency", default=None
    )


class Holding(Model, kw_only=True):
    """A position: short keys as of today, long ones as the API had them before."""

    symbol_id: str = wire("symbolId", default="")
    symbol: str = wire("symbol", "Symbol", default="")
    quantity: Decimal = wire("q", "quantity", "Quantity")  # what cannot be read must not pass for 0
    average_price: Decimal = wire("a", "averagePrice", "AveragePrice", default=Decimal(0))
    market_price: Decimal | None = wire("p", "marketPrice", "MarketPrice", default=None)
    market_value: Decimal | None = wire("v", "marketValue", "MarketValue", default=None)


class Portfolio(msgspec.Struct, kw_only=True):
    """Cash by currency and holdings by symbol id (live/portfolio/read), up to ten minutes old."""

    cash: dict[str, CashHolding] = msgspec.field(default_factory=dict)
    holdings: dict[str, Holding] = msgspec.field(default_factory=dict)
    extra: dict[str, Any] = msgspec.field(default_factory=dict)


def read_portfolio(payload: dict[str, Any], *, endpoint: str) -> Portfolio:
    """Read the answer of live/portfolio/read, in any case of its keys, empty groups as ``{}`` or ``[]``.

    :raises UnreadableAnswerError: if it holds no portfolio.
    """
    portfolio = payload.get("portfolio") or payload
    if not isinstance(portfolio, dict):
        raise UnreadableAnswerError(f"{endpoint} was answered without portfolio.", endpoint=endpoint)
    cash = {key: decode(CashHolding, value, endpoint=endpoint) for key, value in _group(portfolio, "cash")}
    holdings = {
        key: decode(Holding, value, endpoint=endpoint) for key, value in _group(portfolio, "holdings")
    }
    for currency, amount in cash.items():
        amount.currency = amount.currency or currency
    for symbol_id, holding in holdings.items():
        holding.symbol_id = holding.symbol_id or symbol_id
        holding.symbol = holding.symbol or symbol_id.split(" ")[0]
    return Portfolio(cash=cash, holdings=holdings)


def _group(portfolio: dict[str, Any], name: str) -> Iterable[tuple[str, Any]]:
    by_name = {key.lower(): value for key, value in portfolio.items()}
    group = by_name.get(name)
    return group.items() if isinstance(group, dict) else ()
