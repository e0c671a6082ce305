"""The DAGs that users get, and that the suite's own small ones try as often as they do."""

from __future__ import annotations

import pytest

from tests.chaos.cases import FLOWS, Case, hold
from tests.chaos.kills import killed
from tests.chaos.stage import Stage

LOST = {"drop": True, "when": "after"}
CASES = [
    Case("deploy-lost", "shipped-deploy", faults=({"endpoint": "live/create", **LOST},), first=True),
    Case(
        "deploy-killed",
        "shipped-deploy",
        faults=(hold("live/create", "after"),),
        script=killed("task"),
        first=True,
    ),
    Case("redeploy-lost", "shipped-redeploy", faults=({"endpoint": "live/create", **LOST},), first=True),
    Case("stop-lost", "shipped-stop", faults=({"endpoint": "live/update/stop", **LOST},)),
    Case("liquidate-lost", "shipped-liquidate", faults=({"endpoint": "live/update/liquidate", **LOST},)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_shipped_dag(case: Case, stage: Stage) -> None:
    assert stage.outcome_of(case).wrong(case) == []


@pytest.mark.parametrize("name", ["deploy", "stop", "liquidate"])
def test_tasks_are_tried_as_often_as_the_shipped_ones(name: str, stage: Stage) -> None:
    shipped, small = FLOWS[f"shipped-{name}"], FLOWS[name]
    retries = [
        stage.airflow.api.get(f"/dags/{flow.dag_id('deferred')}/tasks/{flow.task}")["retries"]
        for flow in (shipped, small)
    ]
    assert retries[0] == retries[1]
