"""What the control verbs do; :mod:`quantconnect_provider.sandbox.verbs` documents them for callers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from quantconnect_provider.sandbox.answers import ApiError
from quantconnect_provider.sandbox.deployments import PAPER, Deployment
from quantconnect_provider.sandbox.faults import FaultSpec
from quantconnect_provider.sandbox.handlers.projects import node_lists
from quantconnect_provider.sandbox.portfolio import Portfolio
from quantconnect_provider.sandbox.rows import Row
from quantconnect_provider.sandbox.scenario import Cash, Holding, Project, RateLimit, merge
from quantconnect_provider.sandbox.traffic import LimitWindow
from quantconnect_provider.sandbox.world import LiveProject, World


class VerbError(Exception):
    """A control verb that does not exist, or cannot do what it was asked."""


_VERBS: dict[str, Callable[..., Any]] = {}


def _verb(function: Callable[..., Any]) -> Callable[..., Any]:
    _VERBS[function.__name__] = function
    return function


def perform(world: World, verb: str, arguments: dict[str, Any]) -> Any:
    """Carry out one verb and return what is to be answered; hold the world's lock.

    :raises VerbError: no such verb, wrong arguments, or it cannot be done
    """
    function = _VERBS.get(verb)
    if function is None:
        raise VerbError(f"no control verb {verb!r}; there are: {', '.join(sorted(_VERBS))}")
    try:
        inspect.signature(function).bind(world, world.tick(), **arguments)
    except TypeError as error:
        raise VerbError(f"{verb}: {error}") from error
    try:
        return function(world, world.tick(), **arguments)
    except (ValueError, TypeError, KeyError, ApiError) as error:
        raise VerbError(f"{verb}: {error}") from error


def _project(world: World, project_id: int) -> LiveProject:
    if project_id not in world.projects:
        raise ValueError(f"no project {project_id}")
    return world.projects[project_id]


def _deployment(world: World, deploy_id: str) -> Deployment:
    if deploy_id not in world.deployments:
        raise ValueError(f"no deployment {deploy_id}")
    return world.deployments[deploy_id]


# --- time, traffic, behaviour of the API ------------------------------------------------------------


@_verb
def now(world: World, now: float) -> float:
    return now


@_verb
def advance(world: World, now: float, seconds: float) -> float:
    world.clock.advance(seconds)
    return world.tick()


@_verb
def set_speed(world: World, now: float, speed: float) -> None:
    world.clock.set_speed(speed)


@_verb
def add_fault(world: World, now: float, **fields: Any) -> int:
    return world.faults.add(msgspec.convert(fields, FaultSpec))


@_verb
def clear_faults(world: World, now: float, fault_id: int | None = None) -> int:
    return world.faults.clear(fault_id)


@_verb
def faults(world: World, now: float) -> list[dict[str, Any]]:
    return [fault.describe() for fault in world.faults.active]


@_verb
def requests(world: World, now: float, endpoint: str | None = None, after: int = 0) -> list[dict[str, Any]]:
    found = (e for e in world.requests.entries if e.number > after and endpoint in (None, e.endpoint))
    return [msgspec.to_builtins(entry) for entry in found]


@_verb
def counters(world: World, now: float) -> dict[str, Any]:
    return world.requests.counters()


@_verb
def clear_requests(world: World, now: float) -> None:
    world.requests.clear()


@_verb
def set_rate_limit(world: World, now: float, requests: int | None = None, **fields: Any) -> None:
    if requests is None:
        world.limit = None
    else:
        world.limit = LimitWindow(msgspec.convert({"requests": requests, **fields}, RateLimit))


@_verb
def set_api(world: World, now: float, **fields: Any) -> None:
    _overwrite(world.api, fields)


@_verb
def reset(world: World, now: float, scenario: dict[str, Any] | None = None) -> None:
    world.load(scenario)


def _overwrite(part: msgspec.Struct, fields: dict[str, Any]) -> None:
    """Lay `fields` over a part of the scenario, in place, after checking that the result is valid."""
    whole = msgspec.convert(merge(msgspec.to_builtins(part), fields), type(part))
    for name in part.__struct_fields__:
        old, new = getattr(part, name), getattr(whole, name)
        if isinstance(old, msgspec.Struct) and isinstance(new, type(old)):
            _overwrite(old, fields.get(name, {}))
        else:
            setattr(part, name, new)


# --- projects, nodes and deployments -----------------------------------------------------------------


@_verb
def projects(world: World, now: float) -> list[dict[str, Any]]:
    return [
        {
            "project_id": project.project_id,
            "name": project.name,
            "deploy_ids": [d.deploy_id for d in project.deployments],
        }
        for project in world.projects.values()
    ]


@_verb
def add_project(world: World, now: float, name: str, project_id: int | None = None, **fields: Any) -> int:
    settings = msgspec.convert(merge(world.scenario.defaults, {**fields, "name": name}), Project)
    return world.add_project(name, settings, project_id).project_id


@_verb
def configure_project(world: World, now: float, project_id: int, **fields: Any) -> None:
    _overwrite(_project(world, project_id).settings, fields)


@_verb
def nodes(world: World, now: float) -> list[dict[str, Any]]:
    return node_lists(world)["live"]


@_verb
def set_node_busy(world: World, now: float, node_id: str, busy: bool = True, used_by: str = "") -> None:
    if node_id not in world.nodes["live"]:
        raise ValueError(f"no live node {node_id}")
    world.nodes["live"][node_id].busy = busy
    world.nodes["live"][node_id].used_by = used_by


@_verb
def deployments(world: World, now: float, project_id: int | None = None) -> list[dict[str, Any]]:
    found = world.deployments.values() if project_id is None else _project(world, project_id).deployments
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


@_verb
def deploy(
    world: World,
    now: float,
    project_id: int,
    node_id: str | None = None,
    brokerage: dict[str, Any] | None = None,
) -> str:
    free = (n["id"] for n in node_lists(world)["live"] if not n["busy"])
    request = {"brokerage": brokerage or {"id": PAPER}}
    return world.deploy(_project(world, project_id), request, node_id or next(free, None), now).deploy_id


@_verb
def set_status(world: World, now: float, deploy_id: str, status: str, message: str = "") -> None:
    _deployment(world, deploy_id).set_status(now, status, message)


@_verb
def fail(
    world: World,
    now: float,
    deploy_id: str,
    message: str = "Runtime Error: failed by request",
    status: str = "RuntimeError",
    logs: list[str] | None = None,
    restart_after_seconds: float | None = None,
) -> None:
    deployment = _deployment(world, deploy_id)
    deployment.fail(now, status, message, logs or [])
    if restart_after_seconds is not None:
        deployment.restart_later(now, restart_after_seconds)


@_verb
def restart(world: World, now: float, deploy_id: str) -> None:
    deployment = _deployment(world, deploy_id)
    if not deployment.over:
        deployment.fail(now, "RuntimeError", "Runtime Error: restarted by request", [])
    deployment.restart_later(now, 0.0)
    world.tick()


@_verb
def set_holdings(world: World, now: float, deploy_id: str, holdings: list[dict[str, Any]]) -> None:
    deployment = _deployment(world, deploy_id)
    owned = Portfolio([], msgspec.convert(holdings, list[Holding]))
    owned.cash = dict(deployment.portfolio.cash)
    deployment.own(owned, now)


@_verb
def set_cash(world: World, now: float, deploy_id: str, cash: list[dict[str, Any]]) -> None:
    deployment = _deployment(world, deploy_id)
    owned = Portfolio(msgspec.convert(cash, list[Cash]), [])
    owned.holdings = dict(deployment.portfolio.holdings)
    deployment.own(owned, now)


# --- insights ------------------------------------------------------------------------------------------


@_verb
def insights(
    world: World, now: float, deploy_id: str, start: int = 0, end: int | None = None, removed: bool = False
) -> dict[str, Any]:
    book = _deployment(world, deploy_id).book
    book.settle(now)
    view = book.everything(now) if removed else book.view(now)
    found = book.rows(view, start, view.length if end is None else end)
    return {"total": view.length, "rows": [row._asdict() for row in found]}


@_verb
def add_insights(
    world: World,
    now: float,
    deploy_id: str,
    count: int = 1,
    every_seconds: float = 0.0,
    period_seconds: float | None = None,
    position: int | None = None,
    fields: dict[str, Any] | None = None,
) -> list[str]:
    book = _deployment(world, deploy_id).book
    serials = book.add(count, now, every=every_seconds, period=period_seconds, position=position)
    if fields:
        book.change_serials(serials, _checked(fields))
    return [book.identity(serial) for serial in serials[:1000]]


@_verb
def change_insights(
    world: World, now: float, deploy_id: str, positions: list[int], fields: dict[str, Any]
) -> int:
    return _deployment(world, deploy_id).book.change(positions, now, _checked(fields))


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(fields) - set(Row._fields))
    if unknown:
        raise ValueError(f"insights have no {', '.join(unknown)}; they have {', '.join(Row._fields)}")
    return fields


@_verb
def close_insights(world: World, now: float, deploy_id: str, positions: list[int]) -> int:
    return _deployment(world, deploy_id).book.change(positions, now, {"closes_at": float(int(now)) - 1})


@_verb
def remove_insights(world: World, now: float, deploy_id: str, start: int, end: int) -> int:
    return _deployment(world, deploy_id).book.remove(start, end, now)


@_verb
def clear_insights(world: World, now: float, deploy_id: str) -> None:
    _deployment(world, deploy_id).book.reset(now)


@_verb
def refresh_insights(world: World, now: float, deploy_id: str) -> None:
    _deployment(world, deploy_id).book.refresh(now)
