"""live/create, live/read, live/list and the two that end a deployment."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params, endpoint
from quantconnect_provider.sandbox.deployments import OVER, PAPER, Deployment, stamp
from quantconnect_provider.sandbox.handlers.common import deployment_of, project_of
from quantconnect_provider.sandbox.handlers.projects import LEAN_VERSION
from quantconnect_provider.sandbox.world import LiveProject, World

STATUSES = OVER | {
    "InQueue",
    "LoggingIn",
    "Initializing",
    "History",
    "Running",
    "PendingInput",
    "Idle",
    "Undefined",
}


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
    if node is None or not node.active:
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
        "live": {**_row(deployment), "source": "api-v2", "message": ""},
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


@endpoint("live/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer a project's latest deployment, or the one that `deployId` names; flat, without `projectId`."""
    project = project_of(world, params)
    if world.api.never_deployed == "undefined" and project.current(now) is None:
        nothing: dict[str, Any] = {"files": [], "runtimeStatistics": [], "charts": [], "stopped": None}
        names = {"deployId": "", "brokerage": "", "message": "", "projectName": project.name}
        return {"status": "Undefined", "launched": stamp(0.0), **names, **nothing}
    deployment = deployment_of(world, project, params.get("deployId"), now)
    held = deployment.portfolio.holdings.values()
    running = deployment.status == "Running"
    return {
        "message": deployment.message,
        "deployId": deployment.deploy_id,
        "status": deployment.status,
        "cloneId": 0,
        "launched": stamp(deployment.launched),
        "stopped": stamp(deployment.stopped),
        "brokerage": deployment.brokerage_shown,
        "securityTypes": "Equity" if held else "",
        "projectName": project.name,
        "datacenter": "NY7",
        "public": False,
        "isPublicStreaming": False,
        "files": [{"name": name, "content": content, "modified": stamp(project.modified)}
                  for name, content in project.files.items()],
        "runtimeStatistics": deployment.portfolio.statistics() if running else [],
        "charts": {"Strategy Equity": {"name": "Strategy Equity"}} if running else [],
        "description": "",
        "deploymentDetails": _details(deployment) or [],
        "serverStatistics": {"CPU Usage": "3.1%", "Used RAM (MB)": "214"} if running else [],
    }  # fmt: skip


def _details(deployment: Deployment) -> dict[str, str]:
    """Pick what a brokerage shares: its account number or environment, never a credential."""
    brokerage = deployment.request.get("brokerage", {})
    shared = ("-account", "-account-id", "-account-number", "-environment")
    return {key: str(value) for key, value in brokerage.items() if key.endswith(shared)}


@endpoint("live/list")
def listed(world: World, params: Params, now: float) -> Answer:
    """Answer every deployment there ever was, newest first, filtered by `projectId` and `status`."""
    status = params.text("status", "")
    if status and status not in STATUSES:
        raise ApiError("Invalid argument: status")
    wanted = params.get("projectId")
    projects = world.projects.values() if wanted is None else [project_of(world, params)]
    found = [d for project in projects for d in project.deployments if d.listed_from <= now]
    if params.flag("latest"):
        found = [d for project in projects if (d := project.current(now)) is not None]
    found = [d for d in found if not status or d.status == status]
    found.sort(key=lambda d: (d.launched, d.number), reverse=True)
    return {"live": [_row(d) for d in found]}


def _row(deployment: Deployment) -> dict[str, Any]:
    paper = deployment.brokerage_id == PAPER
    return {
        "projectId": deployment.project_id,
        "deployId": deployment.deploy_id,
        "status": deployment.status,
        "launched": stamp(deployment.launched),
        "stopped": stamp(deployment.stopped),
        "brokerage": deployment.brokerage_shown,
        "subscription": "Strategy Equity",
        "equity": round(deployment.portfolio.equity, 2),
        "environment": "paper" if paper else "live",
        "description": "",
        "error": deployment.message,
        "leagues": [],
    }


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
