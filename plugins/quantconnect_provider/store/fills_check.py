"""Compares the fills of stored orders with the orders: sums must agree, or something is missing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, case, func, select

from quantconnect_provider.store.store import Store
from quantconnect_provider.store.trading_tables import fills, orders

QUANTITY_TOLERANCE = 1e-6
"""As a fraction of the order's quantity: sums of floating point numbers."""
PRICE_TOLERANCE = 1e-4
"""As a fraction of the price: QuantConnect rounds an order's mean price."""
SMALLEST_PRICE_STEP = 1e-4


def fills_agree(
    quantity: float | None, price: float | None, filled: float | None, filled_value: float | None
) -> bool:
    """Whether an order that is filled agrees with its fills.

    :param quantity: the order's, signed.
    :param price: the mean price that the order names; None or 0 is not compared.
    :param filled: the sum of its fills' quantities; None if it has none.
    :param filled_value: the sum of quantity times price of its fills.
    """
    if quantity is None:
        return True
    total = filled or 0.0
    if abs(total - quantity) > max(abs(quantity), abs(total)) * QUANTITY_TOLERANCE:
        return False
    if not price or not total or filled_value is None:
        return True
    mean = filled_value / total
    return abs(mean - price) <= max(abs(price) * PRICE_TOLERANCE, SMALLEST_PRICE_STEP)


def disagreeing_orders(store: Store, project_id: int, deploy_id: str) -> dict[int, int | None]:
    """Return the filled orders of a deployment that do not agree with their fills: position by order id."""
    of_order = and_(
        fills.c.project_id == orders.c.project_id,
        fills.c.deploy_id == orders.c.deploy_id,
        fills.c.order_id == orders.c.order_id,
    )
    columns: list[Any] = [orders.c.order_id, orders.c.position, orders.c.quantity, orders.c.price]
    value = func.sum(fills.c.quantity * fills.c.price)
    all_priced = func.count(fills.c.price) == func.count(fills.c.event_id)
    query = (
        select(*columns, func.sum(fills.c.quantity), case((all_priced, value)))
        .select_from(orders.outerjoin(fills, of_order))
        .where(
            orders.c.project_id == project_id, orders.c.deploy_id == deploy_id, orders.c.status == "filled"
        )
        .group_by(*columns)
        .order_by(orders.c.order_id)
    )
    with store.read() as connection:
        return {
            row[0]: row[1]
            for row in connection.execute(query)
            if not fills_agree(row[2], row[3], row[4], row[5])
        }
