"""Harvests the closed trades of one deployment; they never change."""

from __future__ import annotations

import logging
from typing import Protocol

from quantconnect_provider.client.errors import RefusedError, StillLoadingError
from quantconnect_provider.client.trades import ClosedTrade, TradePage
from quantconnect_provider.harvest.harvest_errors import PositionsShiftedError, UnstableListError
from quantconnect_provider.harvest.trading.order_harvest import OrderWindow
from quantconnect_provider.harvest.trading.report import ProjectResult
from quantconnect_provider.harvest.trading.rows import trade_row
from quantconnect_provider.store import trading
from quantconnect_provider.store.store import Store

log = logging.getLogger("quantconnect_provider.harvest")

_ROUNDS = 5
_SET_ASIDE_LOGGED = 10


class TradeSource(Protocol):
    """What reads closed trades: the client."""

    def read_trades(self, project_id: int, start: int, end: int, deploy_id: str | None = None) -> TradePage:
        """Return closed trades by position."""


class TradeHarvest:
    """Reads the closed trades of one deployment from the last known one on, and stores them page by page."""

    def __init__(
        self,
        source: TradeSource,
        store: Store,
        project_id: int,
        deploy_id: str,
        *,
        result: ProjectResult,
        window: OrderWindow,
    ) -> None:
        self._source = source
        self._store = store
        self._project_id = project_id
        self._deploy_id = deploy_id
        self._result = result
        self._window = window

    def run(self, full: bool, may_be_empty: bool) -> None:
        """Bring the store up to date.

        :param full: read everything again.
        :param may_be_empty: whether to believe that there are no trades although the fills say otherwise.
        :raises StillLoadingError: if QuantConnect is loading the trades.
        """
        last = None if full else trading.last_trade(self._store, self._project_id, self._deploy_id)
        for _ in range(_ROUNDS):
            try:
                self._read_from(last, may_be_empty)
            except PositionsShiftedError:
                last = None
            else:
                return
        raise UnstableListError(
            f"The list of closed trades of {self._deploy_id} changed faster than it could be read.",
            endpoint="live/trades/read",
        )

    def _read_from(self, last: tuple[int, str] | None, may_be_empty: bool) -> None:
        start, known = last or (0, "")
        page = self._page(start, shrunk=bool(known))
        if known and not (page.rows and _is(page.rows[0], known)):
            raise PositionsShiftedError
        if not page.rows and (page.length or not (may_be_empty or self._no_trades_expected())):
            raise StillLoadingError(
                f"live/trades/read shows no closed trades of {self._deploy_id} yet.",
                endpoint="live/trades/read",
            )
        while page.rows:
            self._keep(page, start)
            if len(page.rows) < self._window.size and start + len(page.rows) >= (page.length or 0):
                return
            overlap, start = page.rows[-1], start + len(page.rows) - 1
            page = self._page(start)
            if not page.rows or not _is(page.rows[0], overlap.trade_id if overlap else ""):
                raise PositionsShiftedError
            if len(page.rows) == 1:
                return

    def _no_trades_expected(self) -> bool:
        return not trading.has_closed_something(self._store, self._deploy_id)

    def _page(self, start: int, *, shrunk: bool = False) -> TradePage:
        """Read the page that begins at *start*; a refusal may mean that the list has *shrunk* before it."""
        while True:
            self._result.requests += 1
            try:
                return self._source.read_trades(
                    self._project_id, start, start + self._window.size, self._deploy_id
                )
            except RefusedError:
                if not self._window.narrow():
                    if shrunk:
                        raise PositionsShiftedError from None
                    raise

    def _keep(self, page: TradePage, start: int) -> None:
        rows = []
        for place, trade in enumerate(page.rows, start):
            if trade is None:
                self._result.set_aside += 1
                if self._result.set_aside <= _SET_ASIDE_LOGGED:
                    log.warning("%s: the closed trade at position %s cannot be read.", self._deploy_id, place)
                continue
            # What the trade's own orders say counts more than what was asked for.
            owner = trade.deploy_id or self._deploy_id
            rows.append(trade_row(trade, self._project_id, owner, place, page.requested_at))
        if rows:
            kept = trading.save_trades(self._store, rows)
            self._result.trades += kept.inserted
            self._result.updated += kept.updated


def _is(trade: ClosedTrade | None, trade_id: str) -> bool:
    """Whether it is this trade; one that cannot be read may be."""
    return trade is None or not trade_id or trade.trade_id == trade_id
