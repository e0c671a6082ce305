"""What is stored, and what should be."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, select

from quantconnect_provider.harvest import Store
from quantconnect_provider.store.trading_tables import fills, orders, trades
from tests.harvest.trading.fake_trading import FakeTrading

_STATUS = {0: "new", 1: "submitted", 2: "partiallyFilled", 3: "filled", 5: "canceled"}


def stored(store: Store, table: Table, *names: str) -> list[tuple[Any, ...]]:
    columns = [table.c[name] for name in names]
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns))]


def stored_orders(store: Store) -> list[tuple[Any, ...]]:
    return stored(store, orders, "project_id", "deploy_id", "order_id", "position", "status", "price")


def stored_fills(store: Store) -> list[tuple[Any, ...]]:
    return stored(store, fills, "deploy_id", "order_id", "event_id", "quantity", "price", "fee")


def stored_trades(store: Store) -> list[tuple[Any, ...]]:
    return stored(store, trades, "deploy_id", "position", "trade_id", "profit_loss")


def true_orders(api: FakeTrading) -> list[tuple[Any, ...]]:
    places: dict[int, int] = {}
    found = []
    for one in api.deployments:
        for order in one.orders:
            place = places.get(one.project_id, 0)
            places[one.project_id] = place + 1
            status, price = _STATUS[order["status"]], order["price"]
            found.append((one.project_id, one.deploy_id, order["id"], place, status, price))
    return sorted(found)


def true_fills(api: FakeTrading) -> list[tuple[Any, ...]]:
    return sorted(
        (
            one.deploy_id,
            order["id"],
            event["orderEventId"],
            event["fillQuantity"],
            event["fillPrice"],
            event["orderFeeAmount"],
        )
        for one in api.deployments
        for order in one.orders
        for event in order["events"]
        if event["fillQuantity"]
    )


def true_trades(api: FakeTrading) -> list[tuple[Any, ...]]:
    return sorted(
        (one.deploy_id, place, trade["id"], trade["profitLoss"])
        for one in api.deployments
        for place, trade in enumerate(one.trades)
    )
