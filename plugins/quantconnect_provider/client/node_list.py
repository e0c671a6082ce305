"""Reads projects/nodes/read. A node whose state cannot be read is not free."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.client.decode import decode_rows
from quantconnect_provider.client.errors import UnreadableAnswerError
from quantconnect_provider.client.models import Node, Nodes
from quantconnect_provider.client.odd_values import OddValueReporter, shorten


def read_node_list(payload: dict[str, Any], *, endpoint: str, odd: OddValueReporter) -> Nodes:
    """Return the nodes of a response.

    :raises UnreadableAnswerError: if it has none.
    """
    groups = payload.get("nodes")
    if not isinstance(groups, dict):
        raise UnreadableAnswerError(
            f"{endpoint} was answered without nodes: {shorten(groups)}.", endpoint=endpoint
        )
    nodes: dict[str, list[Node]] = {}
    for group in ("live", "backtest", "research"):
        rows = groups.get(group) or []
        nodes[group], _ = decode_rows(Node, _rows_with_state(rows), name=group, endpoint=endpoint, odd=odd)
        for node in nodes[group]:
            node.busy = node.busy or "busy" in node.extra
            node.active = node.active and "active" not in node.extra
    return Nodes(**nodes, auto_select=payload.get("autoSelectNode", True) in (True, 1, "true", "1"))


def _rows_with_state(rows: Any) -> Any:
    """Return the rows in which a state that is null or missing is one that is not free."""
    if isinstance(rows, dict):
        rows = list(rows.values())
    if not isinstance(rows, list):
        return rows
    return [{**row, **_state(row)} if isinstance(row, dict) else row for row in rows]


def _state(row: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = {}
    if row.get("busy") is None:
        state["busy"] = True
    if row.get("active", True) is None:
        state["active"] = False
    return state
