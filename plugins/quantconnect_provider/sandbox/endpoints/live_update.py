"""live/update/stop and live/update/liquidate."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.world import World


@endpoint("live/update/stop")
def stop(world: World, params: Params, now: float) -> Answer:
    """Ask the project's current deployment to stop; it does some time later."""
    deployment = _to_end(world, params, now)
    if not deployment.over:
        deployment.stop(now)
    return {}


@endpoint("live/update/liquidate")
def liquidate(world: World, params: Params, now: float) -> Answer:
    """Ask the project's current deployment to sell its holdings and stop; it does some time later."""
    deployment = _to_end(world, params, now)
    if not deployment.over:
        deployment.liquidate(now)
    return {}


def _to_end(world: World, params: Params, now: float) -> Deployment:
    deployment = deployment_of(world, project_of(world, params), None, now)
    if deployment.over and world.api.update_when_over == "error":
        raise ApiError(f"Live algorithm is not running. {world.reference()}")
    return deployment
