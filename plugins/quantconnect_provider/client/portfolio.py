"""A deployment's cash and holdings (live/portfolio/read), in today's short names and in the older long ones.

Money depends on it: what cannot be read is an error here, never nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from quantconnect_provider.client.decode import Model, decode, wire
from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.odd_values import OddValueReporter, shorten

_OMITTED_WHEN_ZERO = frozenset({"a", "p", "v", "u", "up", "c", "r"})
_ZERO_WITHOUT_QUANTITY = ("v", "u", "up")


class CashHolding(Model, kw_only=True):
    """An amount of one currency."""

    currency: str = wire("symbol", "currency", default="")
    amount: Decimal = wire("amount")
    conversion_rate: Decimal | None = wire("conversionrate", default=None)
    value_in_account_currency: Decimal | None = wire("valueinaccountcurrency", default=None)


class Holding(Model, kw_only=True):
    """A position.

    ``symbol_id`` is the security id, e.g. ``SPY R735QTJ8XC9X``: the only name that tells an option from its
    underlying and a renamed share from its former ticker. ``symbol`` is for people. Prices and values are in
    the security's currency; ``conversion_rate`` leads to the account's.
    """

    symbol_id: str = wire("symbolid", default="")
    symbol: str = wire("symbol", default="")
    quantity: Decimal = wire("q", "quantity")
    average_price: Decimal = wire("a", "averageprice", default=Decimal(0))
    market_price: Decimal | None = wire("p", "marketprice", default=None)
    market_value: Decimal | None = wire("v", "marketvalue", default=None)
    unrealized: Decimal | None = wire("u", "unrealizedpnl", default=None)
    currency_symbol: str = wire("c", "currencysymbol", default="")
    conversion_rate: Decimal | None = wire("r", "conversionrate", default=None)


class Portfolio(msgspec.Struct, kw_only=True):
    """Cash by currency and holdings by security id (live/portfolio/read), up to ten minutes old."""

    cash: dict[str, CashHolding] = msgspec.field(default_factory=dict)
    holdings: dict[str, Holding] = msgspec.field(default_factory=dict)


def read_portfolio(payload: dict[str, Any], *, endpoint: str, odd: OddValueReporter) -> Portfolio:
    """Read the response of live/portfolio/read, in any case of its keys.

    :raises UnreadableAnswerError: if a group is neither an object nor an empty list, or if a name, a
        quantity or an amount cannot be read.
    """
    portfolio = payload.get("portfolio", payload)
    if not isinstance(portfolio, dict):
        raise UnreadableAnswerError(
            f"{endpoint} was answered with a portfolio that cannot be read: {shorten(portfolio)}.",
            endpoint=endpoint,
        )
    cash = {key: _cash(key, row, endpoint, odd) for key, row in _group(portfolio, "cash", endpoint).items()}
    holdings = [
        _holding(key, row, endpoint, odd) for key, row in _group(portfolio, "holdings", endpoint).items()
    ]
    by_id = {holding.symbol_id: holding for holding in holdings}
    if len(by_id) < len(holdings):
        raise UnreadableAnswerError(f"{endpoint} names one security twice.", endpoint=endpoint)
    return Portfolio(cash=cash, holdings=by_id)


def _group(portfolio: dict[str, Any], name: str, endpoint: str) -> dict[str, Any]:
    by_name = {key.lower(): value for key, value in portfolio.items()}
    group = by_name.get(name)
    if group == []:
        return {}  # as PHP writes an empty object
    if not isinstance(group, dict):
        has = "" if name in by_name else f"; the portfolio has {shorten(sorted(portfolio))}"
        raise UnreadableAnswerError(
            f"{endpoint} was answered with {name} that cannot be read: {shorten(group)}{has}.",
            endpoint=endpoint,
        )
    return group


def _cash(key: str, row: Any, endpoint: str, odd: OddValueReporter) -> CashHolding:
    amount = decode(CashHolding, _lower(row), endpoint=endpoint, odd=odd)
    amount.currency = amount.currency or key
    return amount


def _holding(key: str, row: Any, endpoint: str, odd: OddValueReporter) -> Holding:
    row = _lower(row)
    if isinstance(row, dict):
        row = _with_names(row, key)
        if _quantity_was_omitted(row):
            row["q"] = 0
    holding = decode(Holding, row, endpoint=endpoint, odd=odd)
    if "a" in holding.extra or "averageprice" in holding.extra:
        raise UnreadableAnswerError(
            f"{endpoint} was answered with an average price of {key} that cannot be read.", endpoint=endpoint
        )
    if holding.symbol_id.isdigit():
        raise UnreadableAnswerError(
            f"{endpoint} was answered with a holding without a symbol: {key!r}.", endpoint=endpoint
        )
    return holding


def _with_names(row: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the row with ``symbolid`` and ``symbol`` as text, from the key or the symbol object."""
    symbol = row.get("symbol")
    parts = symbol if isinstance(symbol, dict) else {"value": symbol}
    symbol_id = parts.get("id") or row.get("symbolid") or key
    return {**row, "symbolid": symbol_id, "symbol": parts.get("value") or short_symbol(str(symbol_id))}


def short_symbol(symbol_id: str) -> str:
    """Return the ticker that a security id begins with; of an option or the like, the whole id.

    >>> short_symbol("SPY R735QTJ8XC9X")
    'SPY'
    >>> short_symbol("SPY 32NKOG4FVKFRQ|SPY R735QTJ8XC9X")
    'SPY 32NKOG4FVKFRQ|SPY R735QTJ8XC9X'
    """
    ticker, _, rest = symbol_id.partition(" ")
    return symbol_id if "|" in rest or " " in rest else ticker


def _quantity_was_omitted(row: dict[str, Any]) -> bool:
    """Whether the row is one whose quantity is zero: keys are left out when they are zero."""
    given = set(row) - {"symbol", "symbolid"}
    if not given or not given <= _OMITTED_WHEN_ZERO:
        return False
    return not any(row.get(name) for name in _ZERO_WITHOUT_QUANTITY)


def _lower(row: Any) -> Any:
    return {key.lower(): value for key, value in row.items()} if isinstance(row, dict) else row
