"""All control verbs, the same for a sandbox in this process and for one in another."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.control.api_verbs import ApiVerbs
from quantconnect_provider.sandbox.control.clock_verbs import ClockVerbs
from quantconnect_provider.sandbox.control.deployment_verbs import DeploymentVerbs
from quantconnect_provider.sandbox.control.insight_verbs import InsightVerbs
from quantconnect_provider.sandbox.control.order_verbs import OrderVerbs
from quantconnect_provider.sandbox.control.project_verbs import ProjectVerbs
from quantconnect_provider.sandbox.control.verb import perform
from quantconnect_provider.sandbox.world import World


class ControlVerbs(ClockVerbs, ApiVerbs, ProjectVerbs, DeploymentVerbs, InsightVerbs, OrderVerbs):
    """What a test can see and change that the owner of a real account could not.

    Each verb is also ``POST /sandbox/<verb>`` with its arguments as a JSON object; the answer is
    ``{"result": ...}``, or HTTP 400 with ``{"error": "..."}``, which these methods raise as
    :class:`quantconnect_provider.sandbox.VerbError`.
    """


class LocalVerbs(ControlVerbs):
    """The verbs of a world in this process."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _call(self, verb: str, /, **arguments: Any) -> Any:
        with self.world.lock:
            return perform(self, verb, arguments)
