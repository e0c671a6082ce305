"""authenticate."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, Params
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.world import World


@endpoint("authenticate")
def authenticate(world: World, params: Params, now: float) -> Answer:
    """Succeed: the credentials were checked before."""
    return {}
