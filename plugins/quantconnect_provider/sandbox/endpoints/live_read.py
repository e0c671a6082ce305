"""live/read and live/list."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.deployment import OVER, Deployment, stamp
from quantconnect_provider.sandbox.endpoints.deployment_rows import row_of
from quantconnect_provider.sandbox.endpoints.lookup import deployment_of, project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.world import World

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


@endpoint("live/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer a project's latest deployment, or the one that `deployId` names; flat, without `projectId`."""
    project = project_of(world, params)
    if world.api.never_deployed == "undefined" and project.current(now) is None:
        empty = _object(world, {})
        nothing: dict[str, Any] = {"files": [], "runtimeStatistics": empty, "charts": empty, "stopped": None}
        names = {"deployId": "", "brokerage": "", "message": "", "projectName": project.name}
        return {"status": "Undefined", "launched": stamp(0.0), **names, **nothing}
    deployment = deployment_of(world, project, params.get("deployId"), now)
    held = deployment.account.portfolio.holdings.values()
    running = deployment.status == "Running"
    answer = {
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
        "runtimeStatistics": _object(world, _statistics(deployment) if running else {}),
        "charts": _object(world, {"Strategy Equity": {"name": "Strategy Equity"}} if running else {}),
        "description": project.description,
        "deploymentDetails": _object(world, _details(deployment)),
    }  # fmt: skip
    if running:
        answer["serverStatistics"] = {"CPU Usage": "3.1%", "Used RAM (MB)": "214"}
    return answer


def _statistics(deployment: Deployment) -> dict[str, str]:
    account, orders = deployment.account, deployment.orders
    return account.portfolio.statistics(orders.fees, orders.volume, account.first_equity)


def _object(world: World, fields: dict[str, Any]) -> Any:
    """Return the object, or what the scenario has in place of one without fields."""
    return fields or {"object": {}, "list": [], "null": None}[world.api.empty_objects]


def _details(deployment: Deployment) -> dict[str, str]:
    """Pick what a brokerage shares: its account number or environment, never a credential."""
    brokerage = deployment.request.get("brokerage", {})
    shared = ("-account", "-account-id", "-account-number", "-environment", "-trading-mode", "-paper-trading")
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
    return {"live": [row_of(d) for d in found]}
