"""authenticate, projects and their nodes."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params, endpoint
from quantconnect_provider.sandbox.deployments import Deployment, stamp
from quantconnect_provider.sandbox.handlers.common import project_of
from quantconnect_provider.sandbox.settings import Node
from quantconnect_provider.sandbox.world import LiveProject, World

LEAN_VERSION = 17202


@endpoint("authenticate")
def authenticate(world: World, params: Params, now: float) -> Answer:
    """Say yes; the credentials were checked before."""
    return {}


@endpoint("projects/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer one project by `projectId`, positions `start` (inclusive) to `end` (exclusive), or all."""
    if params.get("projectId") is not None:
        found = [project_of(world, params)]
    else:
        found = list(world.projects.values())
        if params.get("end") is not None or params.get("start") is not None:
            start, end = params.integer("start", 0), params.integer("end", len(found))
            if start >= end:
                raise ApiError("Invalid argument: start must be less than end")
            found = found[start:end]
    versions = [{"id": LEAN_VERSION, "created": "2026-01-05 12:00:00", "name": "master", "public": 1}]
    return {"projects": [describe(world, project, now) for project in found], "versions": versions}


@endpoint("projects/create")
def create(world: World, params: Params, now: float) -> Answer:
    """Create an empty project with the scenario's defaults."""
    language = params.text("language", "Py")
    if language not in ("Py", "C#"):
        raise ApiError("Invalid argument: language")
    project = world.create_project(params.text("name"), "Py" if language == "Py" else "C#")
    return {"projects": [describe(world, project, now)], "versions": []}


@endpoint("projects/update")
def update(world: World, params: Params, now: float) -> Answer:
    """Change name, parameters and files; lean sends a form with keys like ``parameters[0][key]``."""
    project = project_of(world, params)
    project.name = params.text("name", project.name)
    project.modified = now
    index = 0
    while (key := params.get(f"parameters[{index}][key]")) is not None:
        project.parameters[str(key)] = params.text(f"parameters[{index}][value]", "")
        index += 1
    index = 0
    while (name := params.get(f"files[{index}][name]")) is not None:
        project.files[str(name)] = params.text(f"files[{index}][content]", " ")
        index += 1
    return {}


@endpoint("projects/delete")
def delete(world: World, params: Params, now: float) -> Answer:
    """Forget the project unless something runs in it."""
    project = project_of(world, params)
    if any(not d.over for d in project.deployments):
        raise ApiError(f"Cannot delete a project with a running live deployment. {world.reference()}")
    del world.projects[project.project_id]
    return {}


@endpoint("projects/nodes/read")
def nodes(world: World, params: Params, now: float) -> Answer:
    """Answer the machines that a project may use."""
    project_of(world, params)
    return {"nodes": node_lists(world), "autoSelectNode": world.scenario.nodes.auto_select}


@endpoint("projects/nodes/update")
def update_nodes(world: World, params: Params, now: float) -> Answer:
    """Accept, and answer like a read; the sandbox lets every project use every node."""
    return nodes(world, params, now)


def node_lists(world: World) -> dict[str, list[dict[str, Any]]]:
    """List every node by kind; live nodes are busy while a deployment runs on them."""
    occupants = world.occupants()
    return {
        kind: [_node(world, node_id, node, occupants.get(node_id)) for node_id, node in found.items()]
        for kind, found in world.nodes.items()
    }


def _node(world: World, node_id: str, node: Node, occupant: Deployment | None) -> dict[str, Any]:
    project = world.projects.get(occupant.project_id) if occupant else None
    user = world.scenario.account.user_name if occupant else node.used_by
    return {
        "id": node_id,
        "name": node.name,
        "sku": node.sku,
        "busy": node.busy or occupant is not None,
        "active": node.active,
        "usedBy": user,
        "userProfile": "",
        "projectName": project.name if project else "",
        "projectId": project.project_id if project else None,
        "description": f"{node.name} ({node.sku})",
        "cpu": 1,
        "ram": 0.5,
        "speed": 2.6,
        "hasGpu": int(node.has_gpu),
        "assets": 0,
        "host": None,
        "price": {"monthly": 24, "yearly": 240},
    }


def describe(world: World, project: LiveProject, now: float) -> dict[str, Any]:
    """Describe a project as projects/read shows it."""
    current = project.current(now)
    return {
        "projectId": project.project_id,
        "organizationId": world.scenario.account.organization_id,
        "name": project.name,
        "description": "",
        "modified": stamp(project.modified),
        "created": stamp(project.created),
        "ownerId": world.user_id,
        "language": project.settings.language,
        "collaborators": [_owner(world)],
        "leanVersionId": LEAN_VERSION,
        "leanPinnedToMaster": True,
        "leanEnvironment": 1,
        "parameters": [{"key": key, "value": value} for key, value in project.parameters.items()],
        "libraries": [],
        "liveForm": [],
        "lastLiveDeployment": current.deploy_id if current else None,
        "codeRunning": current is not None and not current.over,
        "encrypted": False,
        "encryptionKey": None,
    }


def _owner(world: World) -> dict[str, Any]:
    name = world.scenario.account.user_name
    return {
        "uid": world.user_id, "liveControl": True, "permission": "write", "profileImage": "", "name": name,
        "owner": True,
    }  # fmt: skip
