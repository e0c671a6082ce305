"""Every endpoint by its path."""

from __future__ import annotations

from collections.abc import Callable

from quantconnect_provider.sandbox.answers import Answer, Params
from quantconnect_provider.sandbox.world import World

Handler = Callable[[World, Params, float], Answer]
"""Carries out one request at the given sandbox time (unix seconds)."""

ENDPOINTS: dict[str, Handler] = {}


def endpoint(path: str) -> Callable[[Handler], Handler]:
    """Register a handler for `path`."""

    def register(handler: Handler) -> Handler:
        ENDPOINTS[path] = handler
        return handler

    return register
