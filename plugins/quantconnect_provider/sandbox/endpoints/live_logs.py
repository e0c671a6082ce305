"""live/logs/read."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.world import World

LOG_WINDOW = 250


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
