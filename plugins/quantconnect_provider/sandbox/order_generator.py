"""Which order an algorithm places next, at which price, and what happens to it: all from the seed."""

from __future__ import annotations

import math
import random

from quantconnect_provider.sandbox.orders import LIMIT, MARKET, STOP_MARKET, Order, OrderEvent
from quantconnect_provider.sandbox.scenario_spec import Orders

FIRST_PRICES = (20.0, 600.0)
CRYPTO_PRICES = (20_000.0, 120_000.0)
SWING_SECONDS = 6 * 3600.0
DISCONNECTED = "Orders cannot be submitted when disconnected"


class OrderGenerator:
    """Makes the orders of one deployment.

    :param key: what everything follows from; another for every deployment
    """

    def __init__(self, key: str, deploy_id: str, settings: Orders) -> None:
        self._key = key
        self._deploy_id = deploy_id
        self.settings = settings
        self._anchors: dict[str, float] = {}

    def price(self, symbol_id: str, at: float, known: float | None = None) -> float:
        """Return a security's price at `at`: it swings by 2 % around its first one.

        :param known: the price at which the account holds it, which its first one is near
        """
        chance = self._chance(symbol_id)
        phase = chance.random()
        drawn = chance.uniform(*(CRYPTO_PRICES if symbol_id.endswith(" 2XR") else FIRST_PRICES))
        anchor = self._anchors.setdefault(symbol_id, known or drawn)
        return round(anchor * (1 + 0.02 * math.sin(2 * math.pi * (at / SWING_SECONDS + phase))), 2)

    def order(self, order_id: int, at: float, held: dict[str, tuple[float, float]]) -> Order:
        """Make the next order with all its events, those to come included.

        :param held: quantity and price of what the account holds, by symbol id
        """
        chance = self._chance(order_id)
        symbol_id = chance.choice(self.settings.symbols)
        quantity, known = held.get(symbol_id, (0.0, None))
        price = self.price(symbol_id, at, known)
        kind = chance.choices([MARKET, LIMIT, STOP_MARKET], [5, 4, 1])[0]
        wanted = self._quantity(chance, symbol_id, quantity, price)
        order = Order(order_id, self._deploy_id, symbol_id, wanted, kind, at, price)
        order.events = self._events(chance, order)
        return order

    def filled_at_once(
        self, order_id: int, symbol_id: str, quantity: float, price: float, at: float, *, tag: str, fee: float
    ) -> Order:
        """Make a market order that fills whole at this price."""
        order = Order(order_id, self._deploy_id, symbol_id, quantity, MARKET, at, price, tag)
        order.events = [OrderEvent(at, "submitted"), OrderEvent(at, "filled", quantity, price, fee)]
        return order

    def refused(self, order: Order) -> Order:
        """Make of an order one that the engine refuses for want of a connection."""
        order.events = [OrderEvent(order.created, "invalid", message=DISCONNECTED)]
        return order

    def _quantity(self, chance: random.Random, symbol_id: str, held: float, price: float) -> float:
        if held and chance.random() < 0.7:
            return -held
        size = self.settings.value / price * chance.uniform(0.5, 1.5)
        size = round(size, 4) if symbol_id.endswith(" 2XR") else max(1.0, float(round(size)))
        return -size if chance.random() < 0.2 else size

    def _events(self, chance: random.Random, order: Order) -> list[OrderEvent]:
        """Draw a course of events: filled at once or in parts, canceled whole or after a part, refused."""
        submitted, at = OrderEvent(order.created, "submitted"), order.created
        course = chance.random()
        if course < 0.03:
            return [OrderEvent(at, "invalid", message="Insufficient buying power to complete order")]
        fee = self.settings.fee
        if order.kind == MARKET:
            return [submitted, OrderEvent(at + 1, "filled", order.quantity, order.price, fee)]
        whole = order.symbol_id.endswith(" 2XR") or abs(order.quantity) < 2
        part = round(order.quantity / 2, 8) if whole else float(int(order.quantity / 2))
        partial = OrderEvent(at + 10, "partiallyFilled", part, order.price, fee)
        if course < 0.2:
            return [submitted, OrderEvent(at + 30, "canceled")]
        if course < 0.3:
            return [submitted, partial, OrderEvent(at + 30, "canceled")]
        if course < 0.6:
            rest = round(order.quantity - part, 8)
            return [submitted, partial, OrderEvent(at + 20, "filled", rest, order.price, fee)]
        return [submitted, OrderEvent(at + 15, "filled", order.quantity, order.price, fee)]

    def _chance(self, *parts: object) -> random.Random:
        return random.Random(f"orders {self._key} {parts}")  # noqa: S311 - reproducible, not secret
