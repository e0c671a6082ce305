"""A deployment's account at its brokerage: what it owns, what the API shows, its worth over time."""

from __future__ import annotations

import msgspec

from quantconnect_provider.sandbox.api_spec import Api
from quantconnect_provider.sandbox.equity_curve import EquityCurve, Worth
from quantconnect_provider.sandbox.portfolio import Portfolio


class BrokerageAccount:
    """Owns a portfolio; `opened` is when the deployment was launched (unix seconds)."""

    def __init__(self, portfolio: Portfolio, api: Api, opened: float) -> None:
        self._api = api
        self._opened = opened
        self.curve = EquityCurve()
        self.begin(portfolio)

    def begin(self, portfolio: Portfolio) -> None:
        """Own this from the launch on."""
        self.portfolio = portfolio
        self.curve = EquityCurve()
        self._stale, self._stale_until = portfolio, 0.0
        self._record(self._opened)
        self.first_equity = portfolio.equity

    def own(self, portfolio: Portfolio, now: float) -> None:
        """Own this from now on; the API may show the old portfolio until its next snapshot."""
        refresh = self._api.portfolio_refresh_seconds
        if refresh > 0 and now >= self._stale_until:
            periods = int((now - self._opened) / refresh) + 1
            self._stale, self._stale_until = self.portfolio, self._opened + periods * refresh
        self.portfolio = portfolio
        self._record(now)

    def mark(self, symbol_id: str, price: float, now: float) -> None:
        """Value a holding at this price from now on."""
        owned = self.portfolio.copy()
        if symbol_id in owned.holdings:
            owned.holdings[symbol_id] = msgspec.structs.replace(owned.holdings[symbol_id], price=price)
        self.own(owned, now)

    def shown(self, now: float) -> Portfolio:
        """Return the portfolio that live/portfolio/read answers from."""
        return self._stale if now < self._stale_until else self.portfolio

    def _record(self, now: float) -> None:
        self.curve.record(Worth(now, self.portfolio.equity, self.portfolio.long, self.portfolio.short))
