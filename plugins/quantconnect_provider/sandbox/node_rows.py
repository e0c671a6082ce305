"""The organization's nodes as the API shows them."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.deployment import Deployment
from quantconnect_provider.sandbox.project import LiveProject
from quantconnect_provider.sandbox.scenario_spec import Node
from quantconnect_provider.sandbox.world import World


def node_lists(world: World, project: LiveProject | None = None) -> dict[str, list[dict[str, Any]]]:
    """List every node by kind; live nodes are busy while a deployment runs on them.

    :param project: whose selected nodes are active; None makes active what the scenario does
    """
    occupants = world.occupants()
    return {
        kind: [
            {
                **_node(world, node_id, node, occupants.get(node_id)),
                "active": node.active if project is None else node_id in project.selected_nodes,
            }
            for node_id, node in found.items()
        ]
        for kind, found in world.nodes.items()
    }


def _node(world: World, node_id: str, node: Node, occupant: Deployment | None) -> dict[str, Any]:
    project = world.projects.get(occupant.project_id) if occupant else None
    user = world.scenario.account.user_name if occupant else node.used_by
    return {
        "id": node_id,
        "name": node.name,
        "sku": node.sku,
        "busy": node.busy or occupant is not None,
        "usedBy": user,
        "userProfile": "",
        "projectName": project.name if project else "",
        "projectId": project.project_id if project else None,
        "description": f"{node.name} ({node.sku})",
        "cpu": 1,
        "ram": 0.5,
        "speed": 2.6,
        "hasGpu": int(node.has_gpu),
        "assets": 0,
        "host": None,
        "price": {"monthly": 24, "yearly": 240},
    }
