"""The API's orders and trades in memory: books that grow and change, served from snapshots."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pendulum

from quantconnect_provider.client.errors import RefusedError, StillLoadingError
from quantconnect_provider.client.models import LiveSummary
from quantconnect_provider.client.odd_values import OddValueReporter
from quantconnect_provider.client.orders import Order, OrderPage, read_orders
from quantconnect_provider.client.portfolio import CashHolding, Holding, Portfolio
from quantconnect_provider.client.trades import ClosedTrade, TradePage, read_trade_page

START = datetime(2026, 3, 2, 14, 30, tzinfo=timezone.utc)
SPY = "SPY R735QTJ8XC9X"
_ODD = OddValueReporter()


@dataclass
class FakeDeployment:
    """One deployment: the rows that its engine holds, and those that the API serves.

    :param events_hidden: whether its orders are served without events.
    """

    project_id: int
    deploy_id: str
    launched_at: datetime
    stopped_at: datetime | None = None
    orders: list[dict[str, Any]] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)
    served: list[dict[str, Any]] = field(default_factory=list)
    events_hidden: bool = False


class FakeTrading:
    """Answers like live/orders/read, live/trades/read and live/portfolio/read, in each way they may answer.

    :param widest: wider windows are refused.
    :param cap: rows in an answer at most, without a word about it.
    :param past_end: ``empty``, ``error`` or ``clamp``: what a start past the end is answered with.
    :param length: ``total``, ``page`` or ``none``: what ``length`` says.
    :param loading: how many reads of orders and of trades come before the API has loaded them.
    """

    def __init__(
        self,
        *,
        widest: int = 1000,
        cap: int = 10**9,
        past_end: str = "empty",
        length: str = "total",
        loading: int = 0,
        loading_is_an_error: bool = False,
    ) -> None:
        self.widest, self.cap, self.past_end, self.length = widest, cap, past_end, length
        self.loading, self.loading_is_an_error = loading, loading_is_an_error
        self.now = START
        self.deployments: list[FakeDeployment] = []
        self.requests: list[tuple[Any, ...]] = []
        self.slept: list[float] = []
        self.portfolios: dict[int, Portfolio | Exception] = {}
        self.before_answer: Callable[[int], None] = lambda number: None

    def clock(self) -> pendulum.DateTime:
        """Return the time, a microsecond later at each call."""
        self.now += timedelta(microseconds=1)
        return pendulum.instance(self.now)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    # --- what the algorithms do -----------------------------------------------------------------------

    def deploy(self, project_id: int = 1) -> FakeDeployment:
        self.now += timedelta(seconds=1)
        made = FakeDeployment(project_id, f"L-{len(self.deployments) + 1:032x}", self.now)
        self.deployments.append(made)
        return made

    def stop(self, deployment: FakeDeployment) -> None:
        deployment.stopped_at = self.now

    def place(self, deployment: FakeDeployment, quantity: float = 10, events: bool = True) -> int:
        """Place an order; returns its number in the deployment."""
        self.now += timedelta(seconds=1)
        number = len(deployment.orders) + 1
        deployment.orders.append(
            {
                "id": number,
                "symbol": {"id": SPY, "value": "SPY"},
                "type": 1,
                "status": 1 if events else 0,
                "quantity": quantity,
                "price": 0.0,
                "priceCurrency": "USD",
                "createdTime": self.now.isoformat(),
                "brokerId": [str(number)],
                "events": [],
            }
        )
        if events:
            self._event(deployment, number, "submitted")
        self.serve(deployment)
        return number

    def fill(self, deployment: FakeDeployment, number: int, quantity: float, price: float = 100.0) -> None:
        order = deployment.orders[number - 1]
        self._event(deployment, number, "partiallyFilled", quantity, price)
        filled = sum(event["fillQuantity"] for event in order["events"])
        value = sum(event["fillQuantity"] * event["fillPrice"] for event in order["events"])
        order["price"] = round(value / filled, 4)
        done = abs(filled - order["quantity"]) < 1e-9
        order["status"] = 3 if done else 2
        order["events"][-1]["status"] = "filled" if done else "partiallyFilled"
        self.serve(deployment)

    def cancel(self, deployment: FakeDeployment, number: int) -> None:
        self._event(deployment, number, "canceled")
        deployment.orders[number - 1]["status"] = 5
        self.serve(deployment)

    def buy(self, deployment: FakeDeployment, count: int = 1, quantity: float = 10) -> None:
        """Place orders that fill at once."""
        for _ in range(count):
            self.fill(deployment, self.place(deployment, quantity), quantity)

    def close_trade(self, deployment: FakeDeployment) -> None:
        number = len(deployment.trades) + 1
        deployment.trades.append(
            {
                "id": f"{deployment.deploy_id[-8:]}-{number}",
                "symbols": [{"id": SPY, "value": "SPY"}],
                "entryTime": self.now.isoformat(),
                "exitTime": self.now.isoformat(),
                "direction": 0,
                "quantity": 10,
                "profitLoss": float(number),
                "orderIds": [number],
            }
        )

    def _event(
        self, deployment: FakeDeployment, number: int, status: str, quantity: float = 0.0, price: float = 0.0
    ) -> None:
        self.now += timedelta(seconds=1)
        events = deployment.orders[number - 1]["events"]
        events.append(
            {
                "orderEventId": len(events) + 1,
                "algorithmId": deployment.deploy_id,
                "orderId": number,
                "time": self.now.timestamp(),
                "status": status,
                "fillQuantity": quantity,
                "fillPrice": price,
                **({"orderFeeAmount": 1.0, "orderFeeCurrency": "USD"} if quantity else {}),
            }
        )

    def serve(self, deployment: FakeDeployment) -> None:
        """Serve what the engine holds now."""
        deployment.served = deepcopy(deployment.orders)

    # --- the API ----------------------------------------------------------------------------------------

    def list_live(self) -> list[LiveSummary]:
        return [
            LiveSummary(
                project_id=one.project_id,
                deploy_id=one.deploy_id,
                project_name=f"Project {one.project_id}",
                status="Stopped" if one.stopped_at else "Running",
                launched_at=pendulum.instance(one.launched_at),
                stopped_at=pendulum.instance(one.stopped_at) if one.stopped_at else None,
            )
            for one in self.deployments
        ]

    def read_orders(self, project_id: int, start: int, end: int) -> OrderPage:
        requested_at = self._begin("orders", start, end)
        rows = [
            {**row, "events": []} if one.events_hidden else row
            for one in self.deployments
            if one.project_id == project_id
            for row in one.served
        ]
        if self._is_loading():
            return OrderPage(rows=[], requested_at=requested_at, length=0)
        page, length = self._window(rows, start, end)
        orders: list[Order | None] = read_orders(page, endpoint="live/orders/read", odd=_ODD)
        return OrderPage(rows=orders, requested_at=requested_at, length=length)

    def read_trades(self, project_id: int, start: int, end: int, deploy_id: str | None = None) -> TradePage:
        requested_at = self._begin("trades", start, end)
        if self._is_loading():
            return TradePage(rows=[], requested_at=requested_at, length=0)
        (deployment,) = [one for one in self.deployments if one.deploy_id == deploy_id]
        page, length = self._window(deployment.trades, start, end)
        payload = {"trades": page, "length": length}
        read = read_trade_page(payload, requested_at, endpoint="live/trades/read", odd=_ODD)
        rows: list[ClosedTrade | None] = read.rows
        return TradePage(rows=rows, requested_at=requested_at, length=length)

    def read_portfolio(self, project_id: int) -> Portfolio:
        self.requests.append(("portfolio",))
        found = self.portfolios.get(project_id, Portfolio())
        if isinstance(found, Exception):
            raise found
        return found

    def _begin(self, *request: Any) -> pendulum.DateTime:
        number = len(self.requests)
        self.requests.append(request)
        requested_at = self.clock()
        self.before_answer(number)
        if request[2] - request[1] > self.widest:
            raise RefusedError("The range is too large.")
        return requested_at

    def _is_loading(self) -> bool:
        self.loading -= 1
        if self.loading >= 0 and self.loading_is_an_error:
            raise StillLoadingError("'loading' instead of data.")
        return self.loading >= 0

    def _window(self, rows: list[Any], start: int, end: int) -> tuple[list[Any], int | None]:
        if start >= len(rows) and start > 0:
            if self.past_end == "error":
                raise RefusedError("start is past the end.")
            if self.past_end == "clamp":
                start, end = max(0, len(rows) - (end - start)), len(rows)
        page = rows[start:end][: self.cap]
        return page, {"total": len(rows), "page": len(page), "none": None}[self.length]


def holding(symbol: str, quantity: float, price: float) -> Holding:
    return Holding(
        symbol_id=symbol,
        symbol=symbol.split(" ", maxsplit=1)[0],
        quantity=Decimal(str(quantity)),
        average_price=Decimal(str(price)),
    )


def portfolio(cash: float, *holdings: Holding) -> Portfolio:
    return Portfolio(
        cash={"USD": CashHolding(currency="USD", amount=Decimal(str(cash)))},
        holdings={one.symbol_id: one for one in holdings},
    )
