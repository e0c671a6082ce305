"""Harvests the orders of one project, with their fills: new ones, and those that can have changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from quantconnect_provider.client.errors import RefusedError, StillLoadingError
from quantconnect_provider.client.orders import FINAL_STATUSES, Order, OrderPage
from quantconnect_provider.harvest.harvest_errors import PositionsShiftedError, UnstableListError
from quantconnect_provider.harvest.trading.attribution import Neighbour, deployments_of
from quantconnect_provider.harvest.trading.report import ProjectResult
from quantconnect_provider.harvest.trading.rows import fill_rows, order_row
from quantconnect_provider.store import trading
from quantconnect_provider.store.change_rule import ENDED_LAG
from quantconnect_provider.store.fills_check import fills_agree
from quantconnect_provider.store.store import Store

log = logging.getLogger("quantconnect_provider.harvest")

_ROUNDS = 5
_SET_ASIDE_LOGGED = 10


class OrderSource(Protocol):
    """What reads orders: the client."""

    def read_orders(self, project_id: int, start: int, end: int) -> OrderPage:
        """Return orders by position."""


class OrderWindow:
    """How many orders to ask for at a time: what the API is found to accept."""

    def __init__(self, widest: int, narrow: int) -> None:
        self.size = widest
        self._narrow = narrow

    def narrow(self) -> bool:
        """Ask for fewer from now on; False if that was done before."""
        if self.size <= self._narrow:
            return False
        log.info("QuantConnect refuses windows of %s orders; reading %s.", f"{self.size:,}", self._narrow)
        self.size = self._narrow
        return True


class OrderHarvest:
    """Reads the orders of one project and stores them page by page.

    The list has the orders of all deployments in launch order and grows at its end; what is read is therefore
    the end, from the last known order on, and the windows that hold orders which can have changed.

    :param stopped: by deployment that is over, when it stopped; None while that is not known.
    :param recheck: positions that are read again in any case.
    """

    def __init__(
        self,
        source: OrderSource,
        store: Store,
        project_id: int,
        result: ProjectResult,
        window: OrderWindow,
        *,
        stopped: dict[str, datetime | None],
        recheck: Sequence[int] = (),
    ) -> None:
        self._source = source
        self._store = store
        self._project_id = project_id
        self._result = result
        self._window = window
        self._stopped = stopped
        self._recheck = recheck
        self._launched = trading.launch_order(store, project_id)
        self.disagreeing: dict[str, list[int]] = {}

    def run(self, full: bool, may_be_empty: bool) -> None:
        """Bring the store up to date.

        ``disagreeing`` then has the orders read that are filled and do not agree with their fills.

        :param full: read everything again.
        :param may_be_empty: whether to believe that there are no orders; QuantConnect also answers so while
            it loads them.
        :raises StillLoadingError: if QuantConnect is loading the orders, or shows none.
        """
        last = trading.last_order(self._store, self._project_id)
        for attempt in range(_ROUNDS):
            try:
                if full or last is None or attempt > 0:
                    self._read_everything(may_be_empty=may_be_empty and last is None)
                else:
                    page = self._first_page(last.position, last, may_be_empty=False)
                    self._read_windows(end=self._read_on(page, last.position, last))
            except PositionsShiftedError:
                log.warning(
                    "Project %s: orders have moved to other positions; reading all of them again.",
                    self._project_id,
                )
            else:
                return
        raise UnstableListError(
            f"The list of orders of project {self._project_id} changed faster than it could be read.",
            endpoint="live/orders/read",
        )

    def _read_everything(self, *, may_be_empty: bool) -> None:
        page = self._first_page(0, None, may_be_empty)
        self._read_on(page, 0, None)
        gone = trading.unplace_orders(self._store, self._project_id, page.requested_at)
        if gone:
            log.warning(
                "Project %s: QuantConnect does not show %s stored orders any more; they are kept.",
                self._project_id,
                f"{gone:,}",
            )

    def _read_on(self, page: OrderPage, start: int, known: trading.StoredOrder | None) -> int:
        """Store *page* and read on to the end; returns where the last page began."""
        owner = known.deploy_id if known else None
        before = Neighbour(known.deploy_id, known.order_id) if known else None
        while True:
            owner, before = self._keep(page, start, owner, before)
            if not self._goes_on(page, start):
                return start
            # The last row is read again: if it stands where it stood, so do all before it.
            overlap, start = page.rows[-1], start + len(page.rows) - 1
            page = self._page(start, start + self._window.size)
            if not page.rows or not _same(page.rows[0], overlap):
                raise PositionsShiftedError
            if len(page.rows) == 1:
                return start

    def _first_page(self, start: int, known: trading.StoredOrder | None, may_be_empty: bool) -> OrderPage:
        """Read the page that begins at *start*, where *known* must stand."""
        try:
            page = self._page(start, start + self._window.size)
        except RefusedError:
            if known is None:
                raise
            raise PositionsShiftedError from None  # a start after the last row may be refused
        if not page.rows and known is None and not (may_be_empty and not page.length):
            raise StillLoadingError(
                f"live/orders/read shows no orders of project {self._project_id}"
                + (f", but says that there are {page.length:,}." if page.length else " yet."),
                endpoint="live/orders/read",
            )
        if known is not None and not (page.rows and _is(page.rows[0], known.order_id, known.deploy_id)):
            raise PositionsShiftedError
        return page

    def _goes_on(self, page: OrderPage, start: int) -> bool:
        """Whether there are more rows than the page has."""
        if len(page.rows) >= self._window.size:
            return True
        if page.length is None or start + len(page.rows) >= page.length or len(page.rows) < 2:
            return False
        self._window.size = len(page.rows)  # the API gives no more at a time, without saying so
        return True

    def _read_windows(self, end: int) -> None:
        """Read the orders before *end* again that can have changed or are missing."""
        positions = {position for position in self._recheck if position < end}
        for order in trading.open_orders(self._store, self._project_id, FINAL_STATUSES):
            if order.position < end and self._can_change(order):
                positions.add(order.position)
        for missing in trading.missing_positions(self._store, self._project_id):
            # With those around it, which tell its deployment.
            positions.update(place for place in (missing - 1, missing, missing + 1) if 0 <= place < end)
        for first, last in windows(sorted(positions), self._window.size):
            page = self._page(first, last + 1)
            if len(page.rows) < last + 1 - first:
                raise PositionsShiftedError
            self._keep(page, first, None, None)

    def _can_change(self, order: trading.StoredOrder) -> bool:
        """Whether an order that is not final can have changed since it was read."""
        if order.deploy_id not in self._stopped:
            return order.deploy_id in self._launched
        stopped_at = self._stopped[order.deploy_id]
        return stopped_at is None or order.observed_at <= stopped_at + ENDED_LAG

    def _page(self, start: int, end: int) -> OrderPage:
        while True:
            self._result.requests += 1
            try:
                return self._source.read_orders(self._project_id, start, end)
            except RefusedError:
                if not self._window.narrow():
                    raise
                end = start + min(end - start, self._window.size)

    def _keep(
        self, page: OrderPage, start: int, owner: str | None, before: Neighbour | None
    ) -> tuple[str | None, Neighbour | None]:
        """Store a page.

        :param owner: the deployment of the first row, where it is known.
        :param before: the last order up to the first row whose deployment is known.
        :returns: the same two for a page that begins with this one's last row.
        """
        head = [owner] if owner else []
        at_start = start == 0 and not head
        owners = [*head, *deployments_of(page.rows[len(head) :], before, at_start, self._launched)]
        order_rows: list[trading.Row] = []
        fills: list[trading.Row] = []
        settled: set[trading.OrderKey] = set()
        for place, (order, deploy_id) in enumerate(zip(page.rows, owners, strict=True)):
            if order is None or not deploy_id:
                self._set_aside(order, start + place)
                continue
            before = Neighbour(deploy_id, order.order_id)
            order_rows.append(order_row(order, self._project_id, deploy_id, start + place, page.requested_at))
            fills += fill_rows(order, self._project_id, deploy_id, page.requested_at)
            if not _agrees(order):
                self.disagreeing.setdefault(deploy_id, []).append(order.order_id)
            elif order.status == "filled" and order.is_final:
                settled.add((deploy_id, order.order_id))
        if order_rows:
            kept, kept_fills = trading.save_orders(self._store, order_rows, fills, settled)
            self._result.orders += kept.inserted
            self._result.fills += kept_fills.inserted
            self._result.updated += kept.updated + kept_fills.updated
        return (owners[-1] if owners else None), before

    def _set_aside(self, order: Order | None, position: int) -> None:
        self._result.set_aside += 1
        if self._result.set_aside <= _SET_ASIDE_LOGGED:
            why = "cannot be read" if order is None else "names no deployment, nor do the orders around it"
            log.warning(
                "Project %s: the order at position %s is set aside: it %s.",
                self._project_id,
                f"{position:,}",
                why,
            )


def windows(positions: Sequence[int], size: int) -> Iterator[tuple[int, int]]:
    """Cover ascending positions with the fewest windows of at most *size*; yields first and last of each."""
    first = last = -1
    for position in positions:
        if first >= 0 and position - first >= size:
            yield first, last
            first = -1
        first = position if first < 0 else first
        last = position
    if first >= 0:
        yield first, last


def _agrees(order: Order) -> bool:
    """Whether an order that is filled agrees with its fills."""
    if order.status != "filled":
        return True
    fills = [event for event in order.events if event.fill_quantity]
    priced = [event.fill_quantity * event.fill_price for event in fills if event.fill_price is not None]
    value = sum(priced) if len(priced) == len(fills) else None
    return fills_agree(order.quantity, order.price, sum(event.fill_quantity for event in fills), value)


def _is(order: Order | None, order_id: int, deploy_id: str) -> bool:
    """Whether it is this order; one that cannot be read may be."""
    return order is None or (order.order_id == order_id and order.deploy_id in ("", deploy_id))


def _same(order: Order | None, other: Order | None) -> bool:
    if order is None or other is None or order.order_id != other.order_id:
        return order is other
    return order.deploy_id == other.deploy_id or "" in (order.deploy_id, other.deploy_id)
