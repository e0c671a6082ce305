"""Cash and holdings of a deployment: checked when a run gives them, carried over when one is redeployed.

Amounts stay ``Decimal`` from the API's answer to the request: 0.1 coins must not become 0, nor
0.1000000000000000055. An instrument is its symbol id, which is passed on exactly; the symbol is for people.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.portfolio import Portfolio, short_symbol
from quantconnect_provider.live.brokerages.table import BROKERAGES
from quantconnect_provider.live.text_values import read_structure

log = logging.getLogger(__name__)

_NOTHING: tuple[Any, ...] = (None, "", "None", "null", [], {}, ())


def cash_settings(cash: Any) -> list[dict[str, Any]]:
    """Check the ``cash`` of a run: ``[{"currency": "USD", "amount": 1000}]`` or ``{"USD": 1000}``.

    :param cash: the list or object, or its text as JSON or Python.
    :raises InvalidSettingError: naming the entry.
    """
    cash = read_structure(cash, "cash")
    if isinstance(cash, Mapping):
        cash = [{"currency": currency, "amount": amount} for currency, amount in cash.items()]
    rows: dict[str, dict[str, Any]] = {}
    for place, entry in _entries(cash, "cash", '{"currency": "USD", "amount": 100000}'):
        currency = _text(entry, "currency", place).strip().upper()
        if not currency:
            raise InvalidSettingError(
                f"{place} has no currency.", advice='Write it like {"currency": "USD", "amount": 100000}.'
            )
        if currency in rows:
            raise InvalidSettingError(
                f"{place} gives {currency} a second time.", advice="Give each currency once."
            )
        rows[currency] = {"currency": currency, "amount": _number(entry.get("amount"), f"{place}.amount")}
    return list(rows.values())


def holdings_settings(holdings: Any) -> list[dict[str, Any]]:
    """Check the ``holdings`` of a run: a list of symbol, symbolId, quantity and averagePrice.

    :param holdings: the list, or its text as JSON or Python. ``symbol`` may also be an object with ``id``
        and ``value``, as the API writes symbols.
    :raises InvalidSettingError: naming the entry.
    """
    rows: list[dict[str, Any]] = []
    example = '{"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 10, "averagePrice": 512.3}'
    for place, entry in _entries(read_structure(holdings, "holdings"), "holdings", example):
        symbol, symbol_id = _instrument(entry, place)
        quantity = _number(entry.get("quantity"), f"{place}.quantity")
        price = _number(entry.get("averagePrice", entry.get("average_price", 0)), f"{place}.averagePrice")
        if price < 0:
            raise InvalidSettingError(
                f"{place}.averagePrice is negative.", advice="A short position has a negative quantity."
            )
        rows.append(
            {
                "symbol": symbol,
                **({"symbolId": symbol_id} if symbol_id else {}),
                "quantity": quantity,
                "averagePrice": price,
            }
        )
    return rows


def cash_given(cash: Any) -> list[dict[str, Any]] | None:
    """Return :func:`cash_settings`; None if none is given, ``None`` and ``null`` as text included."""
    cash = read_structure(cash, "cash")
    return None if _is_nothing(cash) else cash_settings(cash)


def holdings_given(holdings: Any) -> list[dict[str, Any]] | None:
    """Return :func:`holdings_settings`; None if none are given, ``None`` and ``null`` as text included."""
    holdings = read_structure(holdings, "holdings")
    return None if _is_nothing(holdings) else holdings_settings(holdings)


def with_portfolio(brokerage: Mapping[str, Any], cash: Any = None, holdings: Any = None) -> dict[str, Any]:
    """Return the ``brokerage`` object with the cash and holdings that a run asks for.

    :param cash: see :func:`cash_given`; *holdings*: see :func:`holdings_given`.
    :raises InvalidSettingError: if they cannot be right, or the brokerage does not take them.
    """
    settings = dict(brokerage)
    known = BROKERAGES.get(str(brokerage.get("id")))
    given_cash, given_holdings = cash_given(cash), holdings_given(holdings)
    if given_cash is not None:
        if known and not known.cash:
            raise InvalidSettingError(
                f"{known.label} takes its cash from the account.", advice="Leave cash empty."
            )
        settings["cash"] = given_cash
    if given_holdings is not None:
        if known and not known.holdings:
            raise InvalidSettingError(
                f"{known.label} takes its holdings from the account.", advice="Leave holdings empty."
            )
        settings["holdings"] = given_holdings
    return settings


def check_portfolio(brokerage: Mapping[str, Any]) -> None:
    """Check that the cash is given where the brokerage does not know it.

    :raises InvalidSettingError: if it is not.
    """
    known = BROKERAGES.get(str(brokerage.get("id")))
    if known and known.needs_cash and not brokerage.get("cash"):
        raise InvalidSettingError(
            f"{known.label} does not know its cash.", advice="Give cash in the form of the run."
        )


def wants_portfolio(brokerage: Mapping[str, Any]) -> bool:
    """Whether cash or holdings are to be carried over: the brokerage takes them, the run gives none."""
    known = BROKERAGES.get(str(brokerage.get("id")))
    return known is not None and (
        (known.cash and "cash" not in brokerage) or (known.holdings and "holdings" not in brokerage)
    )


def portfolio_snapshot(portfolio: Portfolio) -> dict[str, Any]:
    """Write a portfolio as JSON in which no digit is lost, for the task's notes."""
    holdings = [
        {
            "symbol": _readable(holding.symbol, holding.symbol_id or symbol_id),
            "symbolId": holding.symbol_id or symbol_id,
            "quantity": str(holding.quantity),
            "averagePrice": str(holding.average_price),
        }
        for symbol_id, holding in portfolio.holdings.items()
        if holding.quantity != 0
    ]
    cash = [
        {"currency": entry.currency or key, "amount": str(entry.amount)}
        for key, entry in portfolio.cash.items()
    ]
    return {"cash": cash, "holdings": holdings}


def with_carried(brokerage: Mapping[str, Any], note: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the ``brokerage`` object with the cash and holdings noted of the deployment before.

    What the run gives itself wins; what the brokerage does not take is left out.
    """
    settings = dict(brokerage)
    known = BROKERAGES.get(str(brokerage.get("id")))
    if not note or known is None:
        return settings
    if known.cash and "cash" not in settings and note.get("cash"):
        settings["cash"] = cash_settings(note["cash"])
    if known.holdings and "holdings" not in settings and note.get("holdings"):
        settings["holdings"] = holdings_settings(note["holdings"])
    return settings


def _is_nothing(value: Any) -> bool:
    return (value.strip() if isinstance(value, str) else value) in _NOTHING


def _entries(value: Any, name: str, example: str) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, Mapping) for entry in value):
        raise InvalidSettingError(f"{name} is not a list of objects.", advice=f"Write it like [{example}].")
    return [(f"{name}[{index}]", entry) for index, entry in enumerate(value)]


def _instrument(entry: Mapping[str, Any], place: str) -> tuple[str, str]:
    """Return the symbol for people and the symbol id, which may be empty."""
    symbol = entry.get("symbol")
    inner: Mapping[str, Any] = {}
    if isinstance(symbol, Mapping):
        inner = {str(key).lower(): value for key, value in symbol.items()}
        entry = {**entry, "symbol": inner.get("value") or inner.get("permtick")}
    given = [
        text
        for text in (
            _text(entry, "symbolId", place),
            _text(entry, "symbol_id", place),
            _text(inner, "id", f"{place}.symbol"),
        )
        if text.strip()
    ]
    if len(set(given)) > 1:
        raise InvalidSettingError(
            f"{place} has the symbol ids {given[0]!r} and {given[1]!r}.", advice="Give one instrument."
        )
    symbol_id = given[0] if given else ""
    symbol_text = _text(entry, "symbol", place).strip()
    readable = _readable(symbol_text, symbol_id) if symbol_id else symbol_text
    if not readable:
        raise InvalidSettingError(
            f"{place} has neither symbol nor symbolId.", advice='Write it like {"symbol": "SPY", ...}.'
        )
    return readable, symbol_id


def _readable(symbol: str, symbol_id: str) -> str:
    """Return the symbol for people: the ticker that an option's id begins with is its underlying's."""
    short = short_symbol(symbol_id)
    return short if not symbol or symbol == symbol_id.split(" ", maxsplit=1)[0] else symbol


def _text(entry: Mapping[str, Any], key: str, place: str) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidSettingError(f"{place}.{key} is not text.", advice=f'Write it like {{"{key}": "..."}}.')
    return value


def _number(value: Any, place: str) -> Decimal:
    try:
        number = Decimal("NaN") if isinstance(value, bool) or value is None else Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidSettingError(
            f"{place} is not a number: {str(value)[:80]!r}.", advice="Write it like 1000 or 0.25."
        )
    return number
