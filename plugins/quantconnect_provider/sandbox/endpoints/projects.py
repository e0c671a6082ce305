"""projects/read, create, update and delete."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.deployment import stamp
from quantconnect_provider.sandbox.endpoints.deployment_rows import LEAN_VERSION
from quantconnect_provider.sandbox.endpoints.lookup import project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.project import LiveProject
from quantconnect_provider.sandbox.world import World


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
    """Create a project with the scenario's defaults; a name that is taken gets a number."""
    language = params.text("language", "Py")
    if language not in ("Py", "C#"):
        raise ApiError("Invalid argument: language")
    project = world.create_project(params.text("name"), "Py" if language == "Py" else "C#")
    return {"projects": [describe(world, project, now)], "versions": []}


@endpoint("projects/update")
def update(world: World, params: Params, now: float) -> Answer:
    """Change name, description, parameters and files; a form has keys like ``parameters[0][key]``."""
    project = project_of(world, params)
    name = params.text("name", project.name)
    if any(other.name == name for other in world.projects.values() if other is not project):
        raise ApiError(f"A project named {name} already exists. {world.reference()}")
    project.name = name
    project.description = str(params.get("description") or project.description)
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
    """Delete the project; a deployment that was asked to stop ends with it, another one forbids it."""
    project = project_of(world, params)
    running = [d for d in project.deployments if not d.over]
    if any(not d.requested for d in running):
        raise ApiError(f"Cannot delete a project with a running live deployment. {world.reference()}")
    for deployment in running:
        deployment.set_status(now, "Stopped", "")
    del world.projects[project.project_id]
    return {}


def describe(world: World, project: LiveProject, now: float) -> dict[str, Any]:
    """Describe a project as projects/read shows it."""
    current = project.current(now)
    return {
        "projectId": project.project_id,
        "organizationId": world.scenario.account.organization_id,
        "name": project.name,
        "description": project.description,
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
        "liveForm": {"list": [], "object": None, "null": None}[world.api.empty_objects],
        "lastLiveDeployment": stamp(current.launched) if current else None,
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
