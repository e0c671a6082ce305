"""What a control verb is: declared once, as a method, and carried out here or over HTTP."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar, cast

from quantconnect_provider.sandbox.answers import ApiError
from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.project import LiveProject
from quantconnect_provider.sandbox.world import World

Body = TypeVar("Body", bound=Callable[..., Any])


class VerbError(Exception):
    """A control verb that does not exist, or cannot do what it was asked."""


class Controlled(ABC):
    """An object with control verbs. Their bodies run in the sandbox's own process, where `world` is."""

    world: World

    @abstractmethod
    def _call(self, verb: str, /, **arguments: Any) -> Any:
        """Carry out a verb, here or over HTTP, and return its result."""

    def _project(self, project_id: int) -> LiveProject:
        """Find the project with this id; raises ValueError."""
        if project_id not in self.world.projects:
            raise ValueError(f"no project {project_id}")
        return self.world.projects[project_id]

    def _deployment(self, deploy_id: str) -> Deployment:
        """Find the deployment with this id; raises ValueError."""
        if deploy_id not in self.world.deployments:
            raise ValueError(f"no deployment {deploy_id}")
        return self.world.deployments[deploy_id]


VERBS: dict[str, Callable[..., Any]] = {}
"""The body of every verb by its name."""


def verb(body: Body) -> Body:
    """Make a method the verb of its name: calls go through `_call`, and :func:`perform` runs the body."""
    name, signature = body.__name__, inspect.signature(body)
    fields = next((p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD), "")
    VERBS[name] = body

    @functools.wraps(body)
    def method(self: Controlled, *args: Any, **kwargs: Any) -> Any:
        _, *given = signature.bind(self, *args, **kwargs).arguments.items()
        named = {key: value for key, value in given if key != fields}
        return self._call(name, **named, **dict(given).get(fields, {}))

    return cast("Body", method)


def perform(controlled: Controlled, name: str, arguments: dict[str, Any]) -> Any:
    """Run the body of one verb and return its result; hold the world's lock.

    :raises VerbError: no such verb, wrong arguments, or it cannot be done
    """
    body = VERBS.get(name)
    if body is None:
        raise VerbError(f"no control verb {name!r}; there are: {', '.join(sorted(VERBS))}")
    try:
        inspect.signature(body).bind(controlled, **arguments)
    except TypeError as error:
        raise VerbError(f"{name}: {error}") from error
    try:
        controlled.world.tick()
        return body(controlled, **arguments)
    except (ValueError, TypeError, KeyError, ApiError) as error:
        raise VerbError(f"{name}: {error}") from error
