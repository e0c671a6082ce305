"""Several faults and kills at once, drawn by seed: what single ones leave intact, their mixtures must too."""

from __future__ import annotations

import random

import pytest

from quantconnect_provider.live.notes import MemoryNotes
from tests.live.task import PROJECT, Desk, KillPoint
from tests.live.test_faults import FAULTS, one_deployment, redeployed

ENDPOINTS = ["live/list", "live/read", "projects/nodes/read", "live/create", "live/update/stop"]
CALLS = ["list_live", "read_live", "read_nodes", "note", "create_live", "stop_live", "read_portfolio"]
QUICK = [name for name in FAULTS if "hung" not in name]


def adversity(desk: Desk, seed: int) -> list[KillPoint]:
    """Put some faults in force and return where the first attempts are killed."""
    chance = random.Random(seed)
    desk.compiled()
    for _ in range(chance.randint(1, 4)):
        fault = FAULTS[chance.choice(QUICK)]
        desk.sandbox.add_fault(chance.choice(ENDPOINTS), nth=chance.randint(1, 5), **fault)
    places = [(chance.choice(CALLS), chance.choice(["before", "after"])) for _ in range(3)]
    return [KillPoint(name, when, chance.randint(1, 4)) for name, when in places]


@pytest.mark.parametrize("seed", range(25))
def test_a_deploy_through_many_faults_and_kills_leaves_one_deployment(desk: Desk, seed: int) -> None:
    notes, points = MemoryNotes(), iter(adversity(desk, seed))

    done = desk.until_done(lambda: desk.create(notes, next(points, None)), most=12)

    one_deployment(desk, done.result.deploy_id)


@pytest.mark.parametrize("seed", range(25))
def test_a_redeploy_through_many_faults_and_kills_leaves_the_new_deployment(desk: Desk, seed: int) -> None:
    old = desk.sandbox.deploy(PROJECT)
    notes, points = MemoryNotes(), iter(adversity(desk, seed))

    done = desk.until_done(lambda: desk.create(notes, next(points, None), if_running="redeploy"), most=12)

    redeployed(desk, old, done.result.deploy_id)
