"""A deployment's orders: placed by its algorithm, filled into its account, and closed into trades."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from quantconnect_provider.sandbox.brokerage_account import BrokerageAccount
from quantconnect_provider.sandbox.closed_trades import TradeBuilder
from quantconnect_provider.sandbox.order_generator import OrderGenerator
from quantconnect_provider.sandbox.orders import Order, OrderEvent

Later = Callable[[float, Callable[[float], None]], None]
"""Schedules an action at a sandbox time, unless the deployment ends or restarts before."""

LOSS_PRICE_FALL = 0.2


class OrderBook:
    """All orders of one deployment, in the order in which they were placed.

    :param later: how it schedules what happens next
    :param log: writes a line of the deployment's log
    """

    def __init__(self, generator: OrderGenerator, account: BrokerageAccount, later: Later,
                 log: Callable[[float, str], None]) -> None:  # fmt: skip
        self.generator = generator
        self.account = account
        self.orders: list[Order] = []
        self.trades = TradeBuilder()
        self.fees = 0.0
        self.volume = 0.0
        self.connected = True
        self._later = later
        self._log = log
        self._place_regularly = False

    # --- the algorithm's orders ----------------------------------------------------------------------

    def begin(self, now: float, fresh: bool) -> None:
        """Place orders from `now` on; a `fresh` algorithm places some at once."""
        self.connected = self._place_regularly = True
        for _ in range(self.generator.settings.immediate if fresh else 0):
            self.place(now)
        self._place_next(now)

    def pause(self) -> None:
        """Place no more orders."""
        self._place_regularly = False

    def _place_next(self, now: float) -> None:
        every = self.generator.settings.every_seconds
        if every > 0:
            self._later(now + every, self._place_due)

    def _place_due(self, now: float) -> None:
        if self._place_regularly:
            self.place(now)
            self._place_next(now)

    def place(self, now: float) -> Order:
        """Place the next order; its events to come are scheduled."""
        order, events = self._next(now)
        for event in events:
            if event.at <= now:
                self._happen(order, event)
            else:
                self._later(event.at, partial(self._happen_later, order, event))
        return order

    def place_past(self, count: int, every: float, last: float) -> None:
        """Place orders that were there before the sandbox, `every` seconds apart, with all events."""
        pending: list[tuple[float, int, Order, OrderEvent]] = []
        for number in range(count):
            at = last - (count - 1 - number) * every
            while pending and pending[0][0] <= at:
                self._happen(*pending.pop(0)[2:])
            order, events = self._next(at)
            pending += [(event.at, order.order_id, order, event) for event in events]
            pending.sort(key=lambda item: item[:2])
        for _, _, order, event in pending:
            self._happen(order, event)

    def _next(self, at: float) -> tuple[Order, list[OrderEvent]]:
        held = {key: (item.quantity, item.mark) for key, item in self.account.portfolio.holdings.items()}
        order = self.generator.order(len(self.orders) + 1, at, held)
        if not self.connected:
            order = self.generator.refused(order)
            self._log(at, str(order.events[0].message))
        self.orders.append(order)
        events, order.events = order.events, []
        return order, events

    # --- orders for a purpose ------------------------------------------------------------------------

    def trade(
        self, symbol_id: str, quantity: float, price: float, now: float, *, tag: str = "", fee: float = 0.0
    ) -> None:
        """Buy or sell at this price at once."""
        order = self.generator.filled_at_once(
            len(self.orders) + 1, symbol_id, quantity, price, now, tag=tag, fee=fee
        )
        self.orders.append(order)
        events, order.events = order.events, []
        for event in events:
            self._happen(order, event)

    def sell_all(self, now: float, unsellable: list[str]) -> None:
        """Close every holding, free of fees, but those whose symbol or id is `unsellable` (``*``: all)."""
        for symbol_id, item in list(self.account.portfolio.holdings.items()):
            if not {"*", symbol_id, item.symbol} & set(unsellable):
                self.trade(symbol_id, -item.quantity, item.mark, now, tag="Liquidated")

    def lose(self, fraction: float, now: float) -> None:
        """Lose this fraction of equity, fees included, by buying and selling at a lower price.

        Nothing happens to an account that has not so much.
        """
        symbol_id, fee = self.generator.settings.symbols[0], self.generator.settings.fee
        price = self.generator.price(symbol_id, now)
        loss = self.account.portfolio.equity * fraction - 2 * fee
        if loss <= 0:
            return
        quantity = loss / (price * LOSS_PRICE_FALL)
        held = self.account.portfolio.holdings.get(symbol_id)
        mark = held.mark if held else None
        self.trade(symbol_id, quantity, price, now, fee=fee)
        self.trade(symbol_id, -quantity, price * (1 - LOSS_PRICE_FALL), now, fee=fee)
        if mark is not None:
            self.account.mark(symbol_id, mark, now)

    # --- fills -----------------------------------------------------------------------------------------

    def _happen_later(self, order: Order, event: OrderEvent, now: float) -> None:
        self._happen(order, event)

    def _happen(self, order: Order, event: OrderEvent) -> None:
        order.events.append(event)
        if not event.fill_quantity:
            return
        owned = self.account.portfolio.copy()
        owned.fill(order.symbol_id, order.ticker, event.fill_quantity, event.fill_price, event.fee)
        self.account.own(owned, event.at)
        self.trades.add(order, event)
        self.fees += event.fee
        self.volume += abs(event.fill_quantity * event.fill_price)
