"""What a deployment owns: cash and holdings, and how a fill turns the one into the other."""

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

    def fill(self, symbol_id: str, ticker: str, quantity: float, price: float, fee: float) -> None:
        """Buy (or sell: negative) at this price, which the whole holding is valued at from now on."""
        held = self.holdings.get(symbol_id)
        before, average = (held.quantity, held.average_price) if held else (0.0, price)
        after = round(before + quantity, 8)
        if before * quantity > 0:
            average = (before * average + quantity * price) / after
        elif before * after < 0:
            average = price
        self.cash["USD"] = self.cash.get("USD", 0.0) - quantity * price - fee
        if after:
            self.holdings[symbol_id] = Holding(
                symbol=held.symbol if held else ticker, symbol_id=symbol_id, quantity=after,
                average_price=average if before else price, price=price,
            )  # fmt: skip
        else:
            self.holdings.pop(symbol_id, None)

    @property
    def equity(self) -> float:
        """Cash and holdings together, every currency at par."""
        return sum(self.cash.values()) + self.long + self.short

    @property
    def long(self) -> float:
        """What the holdings of more than zero are worth."""
        return sum(h.quantity * h.mark for h in self.holdings.values() if h.quantity > 0)

    @property
    def short(self) -> float:
        """What the holdings of less than zero are worth: zero or negative."""
        return sum(h.quantity * h.mark for h in self.holdings.values() if h.quantity < 0)

    def as_answer(self, empty: str) -> dict[str, Any]:
        """Write the `portfolio` object of live/portfolio/read.

        :param empty: what an empty part is, ``object`` or, as PHP has it, ``list``
        """
        holdings = {symbol_id: _holding_answer(item) for symbol_id, item in self.holdings.items()}
        cash = {currency: _cash_answer(currency, amount) for currency, amount in self.cash.items()}
        nothing: Any = [] if empty == "list" else {}
        return {"holdings": holdings or nothing, "cash": cash or nothing}

    def statistics(self, fees: float, volume: float, first_equity: float) -> dict[str, str]:
        """Write the runtime statistics of live/read, formatted as the API formats them.

        :param fees: paid so far
        :param volume: the value of all fills so far
        :param first_equity: at the launch
        """
        unrealized = sum(h.quantity * (h.mark - h.average_price) for h in self.holdings.values())
        gain = self.equity - first_equity
        return {
            "Equity": _dollars(self.equity),
            "Fees": f"-${fees:,.2f}",
            "Holdings": _dollars(self.long - self.short),
            "Net Profit": _dollars(gain - unrealized if fees or volume else 0.0),
            "Probabilistic Sharpe Ratio": "50.00%",
            "Return": f"{gain / first_equity * 100 if first_equity else 0.0:.2f} %",
            "Unrealized": _dollars(unrealized),
            "Volume": _dollars(volume),
        }


def _dollars(amount: float) -> str:
    amount = round(amount, 2) or 0.0
    return f"-${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


def _holding_answer(item: Holding) -> dict[str, Any]:
    value, cost = item.quantity * item.mark, item.quantity * item.average_price
    return {
        "a": item.average_price,
        "q": item.quantity,
        "p": item.mark,
        "v": round(value, 8),
        "u": round(value - cost, 8),
        "up": round((value - cost) / abs(cost) * 100, 4) if cost else 0,
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
