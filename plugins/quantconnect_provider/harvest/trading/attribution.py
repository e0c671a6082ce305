"""Finds the deployment of each order in a list of the orders of all deployments, in launch order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quantconnect_provider.client.orders import Order


@dataclass(frozen=True)
class Neighbour:
    """An order whose deployment is known."""

    deploy_id: str
    order_id: int


def deployments_of(
    rows: Sequence[Order | None], before: Neighbour | None, at_start: bool, launched: Sequence[str]
) -> list[str | None]:
    """Return the deployment of each row, None where it cannot be told.

    An order's events name it. An order without events belongs to the deployment of the orders around it: ids
    rise within a deployment, and begin anew with the next.

    :param before: the order before the first row, if it is known.
    :param at_start: whether the first row is the project's first order.
    :param launched: the project's deployments, the first launched first.
    """
    after: list[Neighbour | None] = []
    upcoming: Neighbour | None = None
    for row in reversed(rows):
        after.append(upcoming)
        if row is not None and row.deploy_id:
            upcoming = Neighbour(row.deploy_id, row.order_id)
    after.reverse()
    found: list[str | None] = []
    previous, first = before, at_start
    for row, following in zip(rows, after, strict=True):
        if row is None:
            found.append(None)
            continue
        deploy_id = row.deploy_id or _between(row.order_id, previous, following, first, launched)
        found.append(deploy_id)
        if deploy_id:
            previous, first = Neighbour(deploy_id, row.order_id), False
    return found


def _between(
    order_id: int, before: Neighbour | None, after: Neighbour | None, at_start: bool, launched: Sequence[str]
) -> str | None:
    """Return the only deployment to which an order between two others can belong."""
    if len(launched) == 1:
        return launched[0]
    places = {deploy_id: place for place, deploy_id in enumerate(launched)}
    first = 0 if at_start else None
    if before is not None:
        first = places.get(before.deploy_id)
    last = len(launched) - 1 if after is None else places.get(after.deploy_id)
    if first is None or last is None:
        return None
    possible = [
        deploy_id
        for deploy_id in launched[first : last + 1]
        if (before is None or deploy_id != before.deploy_id or order_id > before.order_id)
        and (after is None or deploy_id != after.deploy_id or order_id < after.order_id)
    ]
    return possible[0] if len(possible) == 1 else None
