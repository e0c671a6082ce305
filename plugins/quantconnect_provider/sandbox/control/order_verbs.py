"""Verbs about orders, and about what can happen to a running algorithm without its status saying so."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.closed_trades import trade_row
from quantconnect_provider.sandbox.control.verb import Controlled, verb
from quantconnect_provider.sandbox.orders import order_row


class OrderVerbs(Controlled):
    """Orders, drawdowns and silence."""

    @verb
    def orders(self, deploy_id: str) -> list[dict[str, Any]]:
        """List a deployment's orders as they really are, in the shape of live/orders/read."""
        now = self.world.tick()
        return [order_row(order, now) for order in self._deployment(deploy_id).orders.orders]

    @verb
    def trades(self, deploy_id: str) -> list[dict[str, Any]]:
        """List a deployment's closed trades as they really are, in the shape of live/trades/read."""
        now, world = self.world.tick(), self.world
        found = self._deployment(deploy_id).orders.trades.trades
        return [
            trade_row(trade, world.digest("trade", deploy_id, number), now)
            for number, trade in enumerate(found)
        ]

    @verb
    def add_orders(self, deploy_id: str, count: int = 1) -> list[int]:
        """Place orders now, which the seed chooses; returns their ids. They fill as time goes on."""
        now, deployment = self.world.tick(), self._deployment(deploy_id)
        return [deployment.orders.place(now).order_id for _ in range(count)]

    @verb
    def trade(self, deploy_id: str, symbol: str, quantity: float, price: float, fee: float = 0.0) -> None:
        """Buy (or sell: negative) at this price at once; `symbol` is a security id."""
        self._deployment(deploy_id).orders.trade(symbol, quantity, price, self.world.tick(), fee=fee)

    @verb
    def drawdown(self, deploy_id: str, fraction: float) -> None:
        """Lose this fraction of equity at once, in one bad trade; 1 leaves nothing."""
        self._deployment(deploy_id).orders.lose(fraction, self.world.tick())

    @verb
    def go_stale(self, deploy_id: str) -> None:
        """Have the algorithm do nothing more: no log line, order or insight; its status stays Running."""
        self._deployment(deploy_id).go_stale(self.world.tick())

    @verb
    def disconnect(self, deploy_id: str) -> None:
        """Cut the brokerage off: orders fail and the log says so, the status stays Running."""
        self._deployment(deploy_id).disconnect(self.world.tick())

    @verb
    def reconnect(self, deploy_id: str) -> None:
        """Undo `disconnect`."""
        self._deployment(deploy_id).reconnect(self.world.tick())
