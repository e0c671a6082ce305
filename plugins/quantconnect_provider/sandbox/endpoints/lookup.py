"""Finding what a request names."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import ApiError, Params
from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.project import LiveProject
from quantconnect_provider.sandbox.world import World


def project_of(world: World, params: Params) -> LiveProject:
    """Find the project that `projectId` names."""
    project = world.projects.get(params.integer("projectId"))
    if project is None:
        raise ApiError(f"Project not found. {world.reference()}")
    return project


def deployment_of(world: World, project: LiveProject, deploy_id: object, now: float) -> Deployment:
    """Find the project's deployment with this id, or its latest one when no id was sent."""
    if deploy_id in (None, ""):
        found = project.current(now)
    else:
        found = next(
            (d for d in project.deployments if d.deploy_id == deploy_id and d.listed_from <= now), None
        )
    if found is None:
        raise ApiError(f"No live deployment found for project {project.project_id}. {world.reference()}")
    return found
