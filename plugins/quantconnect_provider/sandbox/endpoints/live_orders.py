"""live/orders/read."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, Params
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.endpoints.windows import (
    LOADING,
    paged,
    shown_until,
    still_loading,
    window_of,
)
from quantconnect_provider.sandbox.orders import Order, order_row
from quantconnect_provider.sandbox.project import LiveProject
from quantconnect_provider.sandbox.world import World


@endpoint("live/orders/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer the orders of all deployments of the project, in launch order; `algorithmId` is ignored."""
    project, mode = project_of(world, params), world.api.orders
    window = window_of(world, params, mode)
    deployment_of(world, project, None, now)
    if still_loading(world, "live/orders/read", project, mode.loading_reads):
        return dict(LOADING) if mode.loading == "loading" else paged(world, "orders", [], window, mode)
    shown = shown_orders(world, project, now)
    # Only this window is written: a list of a million orders costs no more than one of a hundred.
    rows = [{"order": order, "at": at} for order, at in shown]
    answer = paged(world, "orders", rows, window, mode)
    answer["orders"] = [{**order_row(row.pop("order"), row.pop("at")), **row} for row in answer["orders"]]
    return answer


def shown_orders(world: World, project: LiveProject, now: float) -> list[tuple[Order, float]]:
    """List the project's orders that the API shows, each with the time as of which it shows it."""
    found = []
    for deployment in project.deployments:
        at = shown_until(deployment, now, world.api.orders.refresh_seconds)
        found += [(order, at) for order in deployment.orders.orders if order.created <= at]
    return found
