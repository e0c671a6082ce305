"""The control verbs by name, and how one is carried out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from quantconnect_provider.sandbox.answers import ApiError
from quantconnect_provider.sandbox.deployments import Deployment
from quantconnect_provider.sandbox.world import LiveProject, World


class VerbError(Exception):
    """A control verb that does not exist, or cannot do what it was asked."""


_VERBS: dict[str, Callable[..., Any]] = {}


def verb(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a function ``_name(world, now, *, ...)`` as the verb ``name``; see `verbs.py`."""
    _VERBS[function.__name__.lstrip("_")] = function
    return function


def perform(world: World, name: str, arguments: dict[str, Any]) -> Any:
    """Carry out one verb and return what is to be answered; hold the world's lock.

    :raises VerbError: no such verb, wrong arguments, or it cannot be done
    """
    function = _VERBS.get(name)
    if function is None:
        raise VerbError(f"no control verb {name!r}; there are: {', '.join(sorted(_VERBS))}")
    try:
        inspect.signature(function).bind(world, 0.0, **arguments)
    except TypeError as error:
        raise VerbError(f"{name}: {error}") from error
    try:
        return function(world, world.tick(), **arguments)
    except (ValueError, TypeError, KeyError, ApiError) as error:
        raise VerbError(f"{name}: {error}") from error


def project_named(world: World, project_id: int) -> LiveProject:
    """Find the project with this id; raises ValueError."""
    if project_id not in world.projects:
        raise ValueError(f"no project {project_id}")
    return world.projects[project_id]


def deployment_named(world: World, deploy_id: str) -> Deployment:
    """Find the deployment with this id; raises ValueError."""
    if deploy_id not in world.deployments:
        raise ValueError(f"no deployment {deploy_id}")
    return world.deployments[deploy_id]
