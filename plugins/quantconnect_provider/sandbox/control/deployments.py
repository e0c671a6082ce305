"""Verbs about projects, nodes and deployments."""

from __future__ import annotations

from typing import Any

import msgspec

from quantconnect_provider.sandbox.control.registry import deployment_named, project_named, verb
from quantconnect_provider.sandbox.deployments import PAPER, Deployment
from quantconnect_provider.sandbox.handlers.projects import node_lists
from quantconnect_provider.sandbox.portfolio import Portfolio
from quantconnect_provider.sandbox.scenario import merge, overwrite
from quantconnect_provider.sandbox.settings import Cash, Holding, Project
from quantconnect_provider.sandbox.world import World


@verb
def _projects(world: World, now: float) -> list[dict[str, Any]]:
    return [
        {
            "project_id": project.project_id,
            "name": project.name,
            "deploy_ids": [d.deploy_id for d in project.deployments],
        }
        for project in world.projects.values()
    ]


@verb
def _add_project(world: World, now: float, *, name: str, project_id: int | None = None, **fields: Any) -> int:
    settings = msgspec.convert(merge(world.scenario.defaults, {**fields, "name": name}), Project)
    return world.add_project(name, settings, project_id).project_id


@verb
def _configure_project(world: World, now: float, *, project_id: int, **fields: Any) -> None:
    overwrite(project_named(world, project_id).settings, fields)


@verb
def _nodes(world: World, now: float) -> list[dict[str, Any]]:
    return node_lists(world)["live"]


@verb
def _set_node_busy(world: World, now: float, *, node_id: str, busy: bool = True, used_by: str = "") -> None:
    if node_id not in world.nodes["live"]:
        raise ValueError(f"no live node {node_id}")
    world.nodes["live"][node_id].busy = busy
    world.nodes["live"][node_id].used_by = used_by


@verb
def _deployments(world: World, now: float, *, project_id: int | None = None) -> list[dict[str, Any]]:
    found = world.deployments.values() if project_id is None else project_named(world, project_id).deployments
    return [_truth(deployment, now) for deployment in found]


def _truth(deployment: Deployment, now: float) -> dict[str, Any]:
    deployment.book.settle(now)
    return {
        "deploy_id": deployment.deploy_id,
        "number": deployment.number,
        "project_id": deployment.project_id,
        "status": deployment.status,
        "over": deployment.over,
        "message": deployment.message,
        "node_id": deployment.node_id,
        "launched": deployment.launched,
        "stopped": deployment.stopped,
        "history": [{"at": at, "status": status} for at, status in deployment.history],
        "restarts": deployment.restarts,
        "request": deployment.request,
        "requested": deployment.requested,
        "insights": deployment.book.view(now).length,
        "insights_emitted": deployment.book.emitted,
        "cash": dict(deployment.portfolio.cash),
        "holdings": msgspec.to_builtins(list(deployment.portfolio.holdings.values())),
        "commands": deployment.commands,
        "logs": deployment.logs,
    }


@verb
def _deploy(
    world: World,
    now: float,
    project_id: int,
    node_id: str | None = None,
    brokerage: dict[str, Any] | None = None,
) -> str:
    free = (n["id"] for n in node_lists(world)["live"] if not n["busy"])
    request = {"brokerage": brokerage or {"id": PAPER}}
    return world.deploy(project_named(world, project_id), request, node_id or next(free, None), now).deploy_id


@verb
def _set_status(world: World, now: float, *, deploy_id: str, status: str, message: str = "") -> None:
    deployment_named(world, deploy_id).set_status(now, status, message)


@verb
def _fail(
    world: World,
    now: float,
    *,
    deploy_id: str,
    message: str = "Runtime Error: failed by request",
    status: str = "RuntimeError",
    logs: list[str] | None = None,
    restart_after_seconds: float | None = None,
) -> None:
    deployment = deployment_named(world, deploy_id)
    deployment.fail(now, status, message, logs or [])
    if restart_after_seconds is not None:
        deployment.restart_later(now, restart_after_seconds)


@verb
def _restart(world: World, now: float, *, deploy_id: str) -> None:
    deployment = deployment_named(world, deploy_id)
    if not deployment.over:
        deployment.fail(now, "RuntimeError", "Runtime Error: restarted by request", [])
    deployment.restart_later(now, 0.0)
    world.tick()


@verb
def _set_holdings(world: World, now: float, *, deploy_id: str, holdings: list[dict[str, Any]]) -> None:
    deployment = deployment_named(world, deploy_id)
    owned = Portfolio([], msgspec.convert(holdings, list[Holding]))
    owned.cash = dict(deployment.portfolio.cash)
    deployment.own(owned, now)


@verb
def _set_cash(world: World, now: float, *, deploy_id: str, cash: list[dict[str, Any]]) -> None:
    deployment = deployment_named(world, deploy_id)
    owned = Portfolio(msgspec.convert(cash, list[Cash]), [])
    owned.holdings = dict(deployment.portfolio.holdings)
    deployment.own(owned, now)
