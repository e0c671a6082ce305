"""projects/nodes/read and projects/nodes/update."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, Params
from quantconnect_provider.sandbox.endpoints.lookup import project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.node_rows import node_lists
from quantconnect_provider.sandbox.world import World


@endpoint("projects/nodes/read")
def nodes(world: World, params: Params, now: float) -> Answer:
    """Answer the machines that a project may use."""
    project_of(world, params)
    return {"nodes": node_lists(world), "autoSelectNode": world.scenario.nodes.auto_select}


@endpoint("projects/nodes/update")
def update_nodes(world: World, params: Params, now: float) -> Answer:
    """Accept, and answer like a read; the sandbox lets every project use every node."""
    return nodes(world, params, now)
