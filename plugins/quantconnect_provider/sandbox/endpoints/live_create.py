"""live/create."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.endpoints.deployment_rows import LEAN_VERSION, row_of
from quantconnect_provider.sandbox.endpoints.lookup import project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.project import LiveProject
from quantconnect_provider.sandbox.world import World


@endpoint("live/create")
def create(world: World, params: Params, now: float) -> Answer:
    """Start a deployment, if project, build, node and brokerage allow it."""
    project = project_of(world, params)
    _check_build(world, project, params.text("compileId"))
    _check_brokerage(params.get("brokerage"))
    node_id = params.text("nodeId")
    if world.api.create_while_running == "refuse" and any(not d.over for d in project.deployments):
        raise ApiError(
            f"Project {project.project_id} already has a running live deployment. {world.reference()}"
        )
    node = world.nodes["live"].get(node_id)
    if node is None:
        raise ApiError(f"Live node not found: {node_id}. {world.reference()}")
    if node.busy or node_id in world.occupants():
        raise ApiError(f"The selected node is busy. Please select another node. {world.reference()}")
    if project.settings.deploy.refuse is not None:
        raise ApiError(f"{project.settings.deploy.refuse} {world.reference()}")
    deployment = world.deploy(project, dict(params.fields), node_id, now)
    return {
        "responseCode": "0",
        "source": "api-v2",
        "deployId": deployment.deploy_id,
        "versionId": LEAN_VERSION,
        "projectId": project.project_id,
        "live": {**row_of(deployment), "source": "api-v2", "message": ""},
    }


def _check_build(world: World, project: LiveProject, compile_id: str) -> None:
    build = world.builds.get(compile_id)
    if build is None or build.project_id != project.project_id:
        raise ApiError(f"Compile id not found. {world.reference()}")
    if build.state != "BuildSuccess":
        raise ApiError(f"The build is not successful: {build.state}. {world.reference()}")


def _check_brokerage(brokerage: Any) -> None:
    if not isinstance(brokerage, dict):
        raise ApiError("Brokerage data must be an array")
    if not isinstance(brokerage.get("id"), str) or not brokerage["id"]:
        raise ApiError("Brokerage id is a required parameter")
    if brokerage["id"] == "InteractiveBrokersBrokerage" and not brokerage.get("ib-weekly-restart-utc-time"):
        raise ApiError("Weekly restart time is a required parameter")
    try:
        for item in brokerage.get("cash") or []:
            str(item["currency"]), float(item["amount"])
        for item in brokerage.get("holdings") or []:
            str(item["symbol"]), float(item["quantity"]), float(item["averagePrice"])
    except (TypeError, KeyError, ValueError):
        raise ApiError("Invalid argument: cash and holdings of the brokerage") from None
