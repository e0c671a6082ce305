"""Portfolio, logs and commands of deployments."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params, endpoint
from quantconnect_provider.sandbox.handlers.common import deployment_of, project_of
from quantconnect_provider.sandbox.world import World

LOG_WINDOW = 250


@endpoint("live/portfolio/read")
def portfolio(world: World, params: Params, now: float) -> Answer:
    """Answer cash and holdings of the project's latest deployment."""
    deployment = deployment_of(world, project_of(world, params), None, now)
    return {"portfolio": deployment.shown_portfolio(now).as_answer(world.api.empty_portfolio)}


@endpoint("live/logs/read")
def logs(world: World, params: Params, now: float) -> Answer:
    """Answer lines `startLine` (inclusive) to `endLine` (exclusive), over all the project's deployments.

    With `deploymentLogs` they are counted within the one that `algorithmId` names, with `query`
    among the lines that contain it.
    """
    project = project_of(world, params)
    deployment = deployment_of(world, project, params.text("algorithmId"), now)
    start, end = params.integer("startLine"), params.integer("endLine")
    if start < 0 or end < start or end - start > LOG_WINDOW:
        raise ApiError(
            f"Invalid argument: startLine and endLine, at most {LOG_WINDOW} lines. {world.reference()}"
        )
    before = project.deployments[: project.deployments.index(deployment)]
    offset = sum(len(earlier.logs) for earlier in before)
    only = params.flag("deploymentLogs")
    lines = deployment.logs if only else [line for d in project.deployments for line in d.logs]
    query = params.text("query", "").lower()
    if query:
        lines = [line for line in lines if query in line.lower()]
    return {"logs": lines[start:end], "length": len(lines), "deploymentOffset": offset}


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
