from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.client import Node, Nodes
from quantconnect_provider.live.deploy.nodes import choose_node
from quantconnect_provider.live.deployment_errors import NoFreeNodeError


def nodes(*live: dict[str, Any]) -> Nodes:
    return Nodes(
        live=[Node(**{"id": f"LN-{n}", "name": f"node {n}", **fields}) for n, fields in enumerate(live)]
    )


def test_the_first_free_node_is_taken() -> None:
    assert choose_node(nodes({"busy": True}, {}, {})).id == "LN-1"


def test_nodes_with_gpu_come_last() -> None:
    assert choose_node(nodes({"has_gpu": True}, {})).id == "LN-1"
    assert choose_node(nodes({"has_gpu": True}, {"busy": True})).id == "LN-0"


def test_inactive_nodes_are_not_taken() -> None:
    assert choose_node(nodes({"active": False}, {})).id == "LN-1"


def test_all_nodes_may_be_taken_while_the_project_selects_automatically() -> None:
    assert choose_node(nodes({"active": False, "busy": True}, {"active": False})).id == "LN-1"


def test_no_node_is_taken_when_the_project_selects_none() -> None:
    with pytest.raises(NoFreeNodeError, match="not active"):
        choose_node(Nodes(live=nodes({"active": False}).live, auto_select=False))


def test_without_a_free_node_everybody_who_has_one_is_named() -> None:
    taken = nodes({"busy": True, "project_name": "Momentum", "used_by": "ann"}, {"active": False})

    with pytest.raises(NoFreeNodeError, match=r"'Momentum' for ann.*not active") as error:
        choose_node(taken)

    assert error.value.retryable


def test_an_organization_without_live_nodes_is_told_so() -> None:
    with pytest.raises(NoFreeNodeError, match="has no live node"):
        choose_node(Nodes())


@pytest.mark.parametrize("asked", ["LN-1", "node 1"])
def test_the_node_asked_for_is_taken_by_id_or_name(asked: str) -> None:
    assert choose_node(nodes({}, {}), asked).id == "LN-1"


def test_a_busy_node_asked_for_names_who_has_it() -> None:
    with pytest.raises(NoFreeNodeError, match="'Momentum' for ann"):
        choose_node(nodes({"busy": True, "project_name": "Momentum", "used_by": "ann"}, {}), "LN-0")


def test_a_node_that_does_not_exist_is_not_waited_for() -> None:
    with pytest.raises(NoFreeNodeError, match=r"LN-0 \(node 0\)") as error:
        choose_node(nodes({}), "LN-7")

    assert not error.value.retryable
