"""Which live node a deployment goes to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.client.models import Node, Nodes
from quantconnect_provider.live.deployment_errors import NoFreeNodeError
from quantconnect_provider.live.polling import FailureBudget, Polling, polls

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)


def choose_node(nodes: Nodes, node_id: str | None = None) -> Node:
    """Return the node to deploy to: the one asked for, or the first free one, those without GPU first.

    :raises NoFreeNodeError: if there is none, saying who uses what.
    """
    if node_id:
        return _asked(nodes, node_id)
    free = [node for node in usable_nodes(nodes) if not node.busy]
    if not free:
        if not nodes.live:
            raise NoFreeNodeError(
                "The organization has no live node.", advice="Add one on quantconnect.com, and run again."
            )
        taken = "; ".join(_why_not(node) for node in nodes.live)
        raise NoFreeNodeError(f"None of the {len(nodes.live)} live nodes is free: {taken}.")
    return min(free, key=lambda node: node.has_gpu)


def await_node(
    client: QuantConnectClient, project_id: int, node_id: str, until: float, polling: Polling
) -> Node:
    """Choose a node as :func:`choose_node` does, and poll for one until a time limit if none is free.

    :param until: unix seconds.
    :raises NoFreeNodeError: if none becomes free, or there is no such node.
    """

    def ask() -> Node | NoFreeNodeError:
        nodes = client.read_nodes(project_id)
        try:
            return choose_node(nodes, node_id)
        except NoFreeNodeError as error:
            if not error.retryable:
                raise
            return error

    budget = FailureBudget()
    taken: QuantConnectError | None = None
    for found in polls(ask, polling, until, budget):
        if isinstance(found, Node):
            return found
        if taken is None and polling.clock() < until:
            log.info("%s Waiting for one.", found.args[0])
        taken = found
    raise taken or budget.last_error or NoFreeNodeError("No live node was found.")


def _asked(nodes: Nodes, node_id: str) -> Node:
    named = [node for node in nodes.live if node_id in (node.id, node.name)]
    if not named:
        known = ", ".join(f"{node.id} ({node.name})" for node in nodes.live) or "none"
        unknown = NoFreeNodeError(
            f"There is no live node {node_id!r}; the live nodes are: {known}.",
            advice="Set node_id to one of them, or leave it empty for the first that is free.",
        )
        unknown.retryable = False
        raise unknown
    node = named[0]
    if node.busy or node not in usable_nodes(nodes):
        raise NoFreeNodeError(f"The live node asked for is not free: {_why_not(node)}.")
    return node


def usable_nodes(nodes: Nodes) -> list[Node]:
    """Return the live nodes that the project has selected, or all of them while it selects automatically."""
    selected = [node for node in nodes.live if node.active]
    return selected or (nodes.live if nodes.auto_select else [])


def _why_not(node: Node) -> str:
    return describe_node(node) if node.busy else f"{_name(node)} is not active"


def _name(node: Node) -> str:
    return f"{node.name or node.sku} ({node.id})"


def describe_node(node: Node) -> str:
    """Return what a node is and who uses it, e.g. ``L-MICRO (LN-..) runs 'Momentum' for ann``."""
    name = _name(node)
    if not node.busy:
        return f"{name} is free"
    project = f" {node.project_name!r}" if node.project_name else " something"
    owner = f" for {node.used_by}" if node.used_by else ""
    return f"{name} runs{project}{owner}"
