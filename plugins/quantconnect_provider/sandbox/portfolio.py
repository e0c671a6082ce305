"""What a deployment owns: cash and holdings, and how liquidation turns the one into the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantconnect_provider.sandbox.scenario_spec import Cash, Holding

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "BTC": "₿"}


class Portfolio:
    """Cash by currency and holdings by symbol id."""

    def __init__(self, cash: Iterable[Cash], holdings: Iterable[Holding]) -> None:
        self.cash = {item.currency: item.amount for item in cash}
        self.holdings = {item.symbol_id or item.symbol: item for item in holdings if item.quantity}

    def copy(self) -> Portfolio:
        """Make an independent copy: a snapshot, or the start of the next deployment."""
        twin = Portfolio([], [])
        twin.cash, twin.holdings = dict(self.cash), dict(self.holdings)
        return twin

    def sell(self, unsellable: Iterable[str]) -> None:
        """Turn every holding into cash (USD) but those whose symbol or symbol id is `unsellable`."""
        stuck = set(unsellable)
        for symbol_id, item in list(self.holdings.items()):
            if "*" not in stuck and not {symbol_id, item.symbol} & stuck:
                self.cash["USD"] = self.cash.get("USD", 0.0) + item.quantity * _price(item)
                del self.holdings[symbol_id]

    @property
    def equity(self) -> float:
        """Cash and holdings together, every currency at par."""
        return sum(self.cash.values()) + sum(h.quantity * _price(h) for h in self.holdings.values())

    def as_answer(self, empty: str) -> dict[str, Any]:
        """Write the `portfolio` object of live/portfolio/read.

        :param empty: what an empty part is, ``object`` or, as PHP has it, ``list``
        """
        holdings = {symbol_id: _holding_answer(item) for symbol_id, item in self.holdings.items()}
        cash = {currency: _cash_answer(currency, amount) for currency, amount in self.cash.items()}
        nothing: Any = [] if empty == "list" else {}
        return {"holdings": holdings or nothing, "cash": cash or nothing}

    def statistics(self, fees: float = 0.0) -> dict[str, str]:
        """Write the runtime statistics of live/read, formatted as the API formats them."""
        held = sum(h.quantity * _price(h) for h in self.holdings.values())
        unrealized = sum(h.quantity * (_price(h) - h.average_price) for h in self.holdings.values())
        return {
            "Equity": f"${self.equity:,.2f}",
            "Fees": f"-${fees:,.2f}",
            "Holdings": f"${held:,.2f}",
            "Net Profit": "$0.00",
            "Probabilistic Sharpe Ratio": "50.00%",
            "Return": "0.00 %",
            "Unrealized": f"${unrealized:,.2f}",
            "Volume": f"${held:,.2f}",
        }


def _price(item: Holding) -> float:
    return item.average_price if item.price is None else item.price


def _holding_answer(item: Holding) -> dict[str, Any]:
    value, cost = item.quantity * _price(item), item.quantity * item.average_price
    return {
        "a": item.average_price,
        "q": item.quantity,
        "p": _price(item),
        "v": round(value, 8),
        "u": round(value - cost, 8),
        "up": round((value - cost) / cost * 100, 4) if cost else 0,
    }


def _cash_answer(currency: str, amount: float) -> dict[str, Any]:
    return {
        "symbol": currency,
        "amount": amount,
        "conversionRate": 1,
        "currencySymbol": SIGNS.get(currency, currency),
        "valueInAccountCurrency": amount,
        "securitySymbols": [],
    }
