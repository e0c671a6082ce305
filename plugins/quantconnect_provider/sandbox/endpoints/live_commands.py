"""live/commands/create and live/commands/broadcast."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, Params
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.world import World


@endpoint("live/commands/create")
def command(world: World, params: Params, now: float) -> Answer:
    """Accept a command; one that comes before the algorithm runs is lost without a word."""
    deployment = deployment_of(world, project_of(world, params), None, now)
    if deployment.status == "Running":
        deployment.commands.append(params.get("command"))
        deployment.log(now, f"Command received: {params.get('command')}")
    return {}


@endpoint("live/commands/broadcast")
def broadcast(world: World, params: Params, now: float) -> Answer:
    """Send a command to every running deployment but those of `excludeProjectId`."""
    for deployment in world.deployments.values():
        if deployment.status == "Running" and deployment.project_id != params.integer("excludeProjectId", -1):
            deployment.commands.append(params.get("command"))
    return {}
