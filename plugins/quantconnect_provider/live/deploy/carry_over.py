"""Cash and holdings of a deployment: checked when a person gives them, carried over when one is redeployed.

Amounts stay ``Decimal`` from the answer that they came in to the request that they go out with: a position
of 0.1 coins must not become 0, nor 0.1000000000000000055.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.portfolio import Portfolio
from quantconnect_provider.live.brokerages.table import BROKERAGES

log = logging.getLogger(__name__)


def cash_settings(cash: Any) -> list[dict[str, Any]]:
    """Check the ``cash`` of a run: ``[{"currency": "USD", "amount": 1000}]`` or ``{"USD": 1000}``.

    :raises InvalidSettingError: naming the entry.
    """
    if isinstance(cash, Mapping):
        cash = [{"currency": currency, "amount": amount} for currency, amount in cash.items()]
    rows: dict[str, dict[str, Any]] = {}
    for place, entry in _entries(cash, "cash"):
        currency = str(entry.get("currency") or "").strip().upper()
        if not currency:
            raise InvalidSettingError(f"{place} has no currency.", advice='E.g. {"currency": "USD", ...}.')
        if currency in rows:
            raise InvalidSettingError(f"{place} gives {currency} a second time.")
        rows[currency] = {"currency": currency, "amount": _number(entry.get("amount"), f"{place}.amount")}
    return list(rows.values())


def holdings_settings(holdings: Any) -> list[dict[str, Any]]:
    """Check the ``holdings`` of a run: a list of symbol, symbolId, quantity and averagePrice.

    :raises InvalidSettingError: naming the entry.
    """
    rows: list[dict[str, Any]] = []
    for place, entry in _entries(holdings, "holdings"):
        symbol_id = str(entry.get("symbolId") or entry.get("symbol_id") or "").strip()
        symbol = str(entry.get("symbol") or symbol_id.split(" ")[0]).strip()
        if not symbol:
            raise InvalidSettingError(f"{place} has neither symbol nor symbolId.")
        quantity = _number(entry.get("quantity"), f"{place}.quantity")
        price = _number(entry.get("averagePrice", entry.get("average_price", 0)), f"{place}.averagePrice")
        if price < 0:
            raise InvalidSettingError(f"{place}.averagePrice is negative.")
        rows.append(
            {
                "symbol": symbol,
                **({"symbolId": symbol_id} if symbol_id else {}),
                "quantity": quantity,
                "averagePrice": price,
            }
        )
    return rows


def with_portfolio(brokerage: Mapping[str, Any], cash: Any = None, holdings: Any = None) -> dict[str, Any]:
    """Return the ``brokerage`` object with the cash and holdings that a run asks for.

    :raises InvalidSettingError: if the brokerage does not take them, or must have cash and has none.
    """
    settings = dict(brokerage)
    known = BROKERAGES.get(str(brokerage.get("id")))
    if cash not in (None, [], {}, ""):
        if known and not known.cash:
            raise InvalidSettingError(
                f"{known.label} takes its cash from the account.", advice="Leave cash empty."
            )
        settings["cash"] = cash_settings(cash)
    if holdings not in (None, [], {}, ""):
        if known and not known.holdings:
            raise InvalidSettingError(
                f"{known.label} takes its holdings from the account.", advice="Leave holdings empty."
            )
        settings["holdings"] = holdings_settings(holdings)
    return settings


def check_portfolio(brokerage: Mapping[str, Any]) -> None:
    """Check that a brokerage which must be told its cash is.

    :raises InvalidSettingError: if it is not.
    """
    known = BROKERAGES.get(str(brokerage.get("id")))
    if known and known.needs_cash and not brokerage.get("cash"):
        raise InvalidSettingError(f"{known.label} must be told its cash.", advice="Give cash in the run.")


def wants_portfolio(brokerage: Mapping[str, Any]) -> bool:
    """Whether cash or holdings are to be carried over: the brokerage takes them, the run gives none."""
    known = BROKERAGES.get(str(brokerage.get("id")))
    return known is not None and (
        (known.cash and "cash" not in brokerage) or (known.holdings and "holdings" not in brokerage)
    )


def portfolio_snapshot(portfolio: Portfolio) -> dict[str, Any]:
    """Write a portfolio as JSON in which no digit is lost, for the ledger."""
    holdings = [
        {
            "symbol": holding.symbol or symbol_id.split(" ")[0],
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


def _entries(value: Any, name: str) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, Mapping) for entry in value):
        raise InvalidSettingError(f"{name} is not a list of objects.")
    return [(f"{name}[{index}]", entry) for index, entry in enumerate(value)]


def _number(value: Any, place: str) -> Decimal:
    try:
        number = Decimal("NaN") if isinstance(value, bool) or value is None else Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidSettingError(f"{place} is not a number: {value!r}.")
    return number
