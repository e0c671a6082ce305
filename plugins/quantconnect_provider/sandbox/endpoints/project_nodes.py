"""projects/nodes/read and projects/nodes/update."""

from __future__ import annotations

from quantconnect_provider.sandbox.answers import Answer, ApiError, Params
from quantconnect_provider.sandbox.endpoints.lookup import project_of
from quantconnect_provider.sandbox.endpoints.registry import endpoint
from quantconnect_provider.sandbox.node_rows import node_lists
from quantconnect_provider.sandbox.world import World


@endpoint("projects/nodes/read")
def read(world: World, params: Params, now: float) -> Answer:
    """Answer every node; those that the project has selected are active."""
    project = project_of(world, params)
    return {"nodes": node_lists(world, project), "autoSelectNode": project.auto_select_node}


@endpoint("projects/nodes/update")
def update(world: World, params: Params, now: float) -> Answer:
    """Select these nodes for the project; an empty list, or none, selects automatically."""
    project = project_of(world, params)
    wanted = params.get("nodes") or []
    if not isinstance(wanted, list):
        raise ApiError("Invalid argument: nodes")
    known = {node_id for nodes in world.nodes.values() for node_id in nodes}
    project.selected_nodes = known & {str(node_id) for node_id in wanted}
    project.auto_select_node = not project.selected_nodes
    return read(world, params, now)
