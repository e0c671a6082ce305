"""live/trades/read."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.closed_trades import ClosedTrade, trade_row
from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.endpoints.windows import (
    LOADING,
    paged,
    shown_until,
    still_loading,
    window_of,
)
from quantconnect_provider.sandbox.world import World


@endpoint("live/trades/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer the closed trades of the deployment that `deployId` names, or of all of the project."""
    project, mode = project_of(world, params), world.api.trades
    window = window_of(world, params, mode)
    if "deployId" in params.fields and params.get("deployId") is None:
        raise ApiError(f"Invalid argument: deployId. {world.reference()}")
    deployments = project.deployments
    if "deployId" in params.fields:
        deployments = [deployment_of(world, project, params.text("deployId"), now)]
    if still_loading(world, "live/trades/read", project, mode.loading_reads):
        return dict(LOADING) if mode.loading == "loading" else paged(world, "trades", [], window, mode)
    rows = [
        {"trade": trade, "id": world.digest("trade", deployment.deploy_id, number), "at": at}
        for deployment in deployments
        for number, trade, at in shown_trades(world, deployment, now)
    ]
    answer = paged(world, "trades", rows, window, mode)
    answer["trades"] = [
        {**trade_row(row.pop("trade"), row.pop("id"), row.pop("at")), **row} for row in answer["trades"]
    ]
    return answer


def shown_trades(world: World, deployment: Deployment, now: float) -> list[tuple[int, ClosedTrade, float]]:
    """List the trades that the API shows, each with its number and the time as of which it shows it."""
    at = shown_until(deployment, now, world.api.trades.refresh_seconds)
    trades = enumerate(deployment.orders.trades.trades)
    return [(number, trade, at) for number, trade in trades if trade.exit_at <= at]
