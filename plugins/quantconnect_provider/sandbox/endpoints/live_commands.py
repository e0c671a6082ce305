"""live/commands/create and live/commands/broadcast."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.world import World


@endpoint("live/commands/create")
def create(world: World, params: Params, now: float) -> Answer:
    """Send a command to the project's deployment, which must be one that runs or starts."""
    project = project_of(world, params)
    command = _command(params)
    deployment = deployment_of(world, project, None, now)
    if deployment.over:
        raise ApiError(f"Live algorithm is not running. {world.reference()}")
    deployment.receive(now, command)
    return {}


@endpoint("live/commands/broadcast")
def broadcast(world: World, params: Params, now: float) -> Answer:
    """Send a command to every deployment of the organization but those of `excludeProjectId`."""
    if params.text("organizationId") != world.scenario.account.organization_id:
        raise ApiError(f"Organization not found. {world.reference()}")
    command, excluded = _command(params), params.integer("excludeProjectId", -1)
    for deployment in world.deployments.values():
        if deployment.project_id != excluded:
            deployment.receive(now, command)
    return {}


def _command(params: Params) -> dict[str, Any]:
    command = params.get("command")
    if not isinstance(command, dict) or not command:
        raise ApiError("Invalid argument: command")
    return command
