"""A real process, killed with SIGKILL at random points of real harvests, 50 times; then one harvest."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.harvest import HarvestOptions, Store, harvest
from quantconnect_provider.sandbox import SandboxProcess
from tests.harvest.contents import assert_same
from tests.victims import Victims

KILLS = 50
SCENARIO: dict[str, Any] = {
    "api": {"latency_seconds": 0.002},
    "projects": [
        {
            "name": f"Project {number}",
            "deployments": [{"insights": {"history": {"count": count, "every_seconds": 60}}}],
        }
        for number, count in enumerate((1200, 150, 90))
    ],
    "nodes": {"live": [{"name": f"node {number}"} for number in range(3)]},
}


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(SCENARIO) as sandbox:
        yield sandbox


def client_of(base_url: str) -> QuantConnectClient:
    return QuantConnectClient(1, "sandbox", base_url)


def victim(base_url: str, store_url: str, full: bool, began: Any) -> None:
    """Harvest with small commits, saying when it begins."""
    settings = HarvestOptions(full=full, commit_rows=100, in_flight=4)
    with Store.open(store_url) as store, client_of(base_url) as client:
        targets = client.list_live()
        began.set()
        harvest(client, store, targets, settings)


def test_fifty_killed_harvests_lose_and_double_nothing(sandbox: SandboxProcess, store_url: str) -> None:
    chance = random.Random(3)
    victims = Victims(chance, lasts_seconds=0.2)
    deploy_ids = [one["deploy_id"] for one in sandbox.deployments()]
    for _ in range(KILLS):
        change(sandbox, deploy_ids[0], chance)
        victims.kill_one(victim, sandbox.base_url, store_url, chance.random() < 0.5)
    assert victims.hits >= KILLS // 3
    with Store.open(store_url) as store, client_of(sandbox.base_url) as client:
        harvest(client, store, client.list_live()).raise_if_failed()
        for deploy_id in deploy_ids:
            assert_same(sandbox, store, deploy_id)


def change(sandbox: SandboxProcess, deploy_id: str, chance: random.Random) -> None:
    """Let the list grow, and now and then shrink, between two harvests."""
    sandbox.add_insights(deploy_id, chance.randrange(1, 150), every_seconds=1.0)
    if chance.random() < 0.2:
        first = chance.randrange(1000)
        sandbox.remove_insights(deploy_id, first, first + chance.randrange(1, 30))
