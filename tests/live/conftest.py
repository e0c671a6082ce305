from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from quantconnect_provider.sandbox import Sandbox
from tests.live.task import PROJECT, Desk

FAST = {"InQueue": 0.01, "Initializing": 0.01}
NODES = [{"name": "node one", "id": "LN-1"}, {"name": "node two", "id": "LN-2"}]


def scenario(**api: Any) -> dict[str, Any]:
    """One project and two nodes; a second live/create while one runs makes a second deployment."""
    return {
        "nodes": {"live": NODES},
        "api": {"create_while_running": "second", "update_when_over": "error", **api},
        "projects": [
            {
                "name": "Momentum",
                "id": PROJECT,
                "build": {"polls": 0},
                "deploy": {
                    "starting": FAST,
                    "stop_seconds": 0.03,
                    "sell_seconds": 0.02,
                    "liquidate_seconds": 0.04,
                },
                "cash": [{"currency": "USD", "amount": 1000.0}],
                "holdings": [],
            },
            {"name": "Bystander", "id": PROJECT + 1, "deployments": [{"status": "Running", "node": "LN-2"}]},
        ],
    }


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    with Sandbox(scenario()) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    served.reset(scenario())
    yield served
    served.clear_faults()


@pytest.fixture
def desk(sandbox: Sandbox) -> Iterator[Desk]:
    with Desk(sandbox) as made:
        yield made
