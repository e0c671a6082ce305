"""What only QuantConnect's command-line client requests: account, organization, nodes/read, files."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.deployment import stamp
from quantconnect_provider.sandbox.endpoints.lookup import project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.node_rows import node_lists
from quantconnect_provider.sandbox.world import World


@endpoint("nodes/read")
def nodes(world: World, params: Params, now: float) -> Answer:
    """Answer the organization's machines; here at the top level, unlike projects/nodes/read."""
    _check_organization(world, params)
    return dict(node_lists(world))


@endpoint("account/read")
def account(world: World, params: Params, now: float) -> Answer:
    """Answer the account's credit."""
    _check_organization(world, params)
    return {"organizationId": world.scenario.account.organization_id, "creditBalance": 1000.0, "card": None}


@endpoint("organizations/list")
def organizations(world: World, params: Params, now: float) -> Answer:
    """Answer the one organization there is."""
    account = world.scenario.account
    row = {
        "id": account.organization_id, "name": account.organization_name, "type": "Trading firm",
        "ownerName": account.user_name, "members": 1, "preferred": True,
    }  # fmt: skip
    return {"organizations": [row]}


@endpoint("organizations/read")
def organization(world: World, params: Params, now: float) -> Answer:
    """Answer the organization in detail."""
    _check_organization(world, params)
    account = world.scenario.account
    member = {"id": world.user_id, "name": account.user_name, "isAdmin": True, "email": account.email}
    return {
        "organization": {
            "id": account.organization_id,
            "name": account.organization_name,
            "seats": 1,
            "type": "Trading firm",
            "credit": {"movements": [], "balance": 1000.0},
            "products": [],
            "data": {"signedTime": None, "current": False},
            "members": [member],
        }
    }


def _check_organization(world: World, params: Params) -> None:
    if params.get("organizationId") not in (None, "", world.scenario.account.organization_id):
        raise ApiError(f"Organization not found. {world.reference()}")


@endpoint("lean/environments/read")
def environments(world: World, params: Params, now: float) -> Answer:
    """Answer the Python environments that algorithms can run in."""
    return {
        "environments": [{"id": 1, "name": "Default", "path": None, "description": "Default", "public": True}]
    }


@endpoint("files/read")
def files(world: World, params: Params, now: float) -> Answer:
    """Answer the project's files, or the one that `name` names."""
    project = project_of(world, params)
    wanted = params.text("name", "")
    found: list[dict[str, Any]] = [
        {"id": number, "projectId": project.project_id, "name": name, "content": content,
         "modified": stamp(project.modified), "open": False, "isLibrary": False}
        for number, (name, content) in enumerate(project.files.items(), 1)
        if wanted in ("", name)
    ]  # fmt: skip
    if wanted and not found:
        raise ApiError(f"File not found: {wanted}. {world.reference()}")
    return {"files": found}


@endpoint("files/create")
def create_file(world: World, params: Params, now: float) -> Answer:
    """Create a file."""
    project = project_of(world, params)
    name = params.text("name")
    if name in project.files:
        raise ApiError(f"File already exists: {name}. {world.reference()}")
    project.files[name] = str(params.get("content") or "")
    project.modified = now
    return {"files": [{"name": name, "content": project.files[name], "modified": stamp(now)}]}


@endpoint("files/update")
def update_file(world: World, params: Params, now: float) -> Answer:
    """Replace a file's content, or give it the name `newName`."""
    project = project_of(world, params)
    name = params.text("name")
    if name not in project.files:
        raise ApiError(f"File not found: {name}. {world.reference()}")
    project.modified = now
    if params.get("newName") is not None:
        project.files[params.text("newName")] = project.files.pop(name)
        return {}
    project.files[name] = params.text("content")
    return {"files": [{"name": name, "content": project.files[name], "modified": stamp(now)}]}


@endpoint("files/delete")
def delete_file(world: World, params: Params, now: float) -> Answer:
    """Delete a file."""
    project = project_of(world, params)
    if project.files.pop(params.text("name"), None) is None:
        raise ApiError(f"File not found: {params.text('name')}. {world.reference()}")
    return {}
