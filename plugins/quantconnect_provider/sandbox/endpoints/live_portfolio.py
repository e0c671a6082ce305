"""live/portfolio/read."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, Params
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.world import World


@endpoint("live/portfolio/read")
def portfolio(world: World, params: Params, now: float) -> Answer:
    """Answer cash and holdings of the project's latest deployment."""
    deployment = deployment_of(world, project_of(world, params), None, now)
    return {"portfolio": deployment.account.shown(now).as_answer(world.api.empty_portfolio)}
