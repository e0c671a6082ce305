"""Waits that end at once, and waits that end just after their task has deferred: green at the first try.

Airflow's scheduler fails a task that resumes before it has handled the report of the deferred run. Which
waits are at risk depends on the moment, so many of them end at many moments here. A whole Airflow of its own,
with LocalExecutor; nothing is killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev import processes
from dev.airflow_processes import AirflowProcesses
from dev.distributed.servers import running_postgres
from quantconnect_provider.sandbox import SandboxProcess
from quantconnect_provider.tasks.waiting import WORKER_SECONDS

DAGS = Path(__file__).parent / "dags"
PROJECTS = 25
AT_ONCE = {"starting": {}, "sell_seconds": 0.0, "liquidate_seconds": 0.0}
WITHIN_SECONDS = 240.0


def around_the_deferral(number: int) -> dict[str, Any]:
    """How fast a project starts and ends: its wait is over soon after the task has left its worker."""
    seconds = WORKER_SECONDS - 1.0 + 0.5 * number
    return {"starting": {"InQueue": seconds}, "sell_seconds": seconds, "liquidate_seconds": seconds}


SCENARIO: dict[str, Any] = {
    "nodes": {"live": [{"name": f"node {number}"} for number in range(PROJECTS)]},
    "defaults": {
        "build": {"polls": 0},
        "holdings": [{"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 2, "averagePrice": 600}],
    },
    "projects": [
        {"name": f"project {number}", "deploy": around_the_deferral(number // 2) if number % 2 else AT_ONCE}
        for number in range(PROJECTS)
    ],
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(SCENARIO) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def airflow(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowProcesses]:
    with running_postgres("fsync=off") as postgres:
        postgres.create_database("airflow")
        airflow = AirflowProcesses(
            tmp_path_factory.mktemp("fast_waits") / "airflow",
            postgres.url("airflow", "+psycopg2"),
            {"chaos": DAGS},
            {
                "AIRFLOW_CONN_QUANTCONNECT_DEFAULT": sandbox.airflow_connection(),
                "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",  # as Airflow ships it
            },
        )
        try:
            airflow.start("build_deferred", "liquidate_deferred")
            yield airflow
        finally:
            airflow.stop()


@pytest.mark.parametrize(("dag_id", "task_id"), [("build_deferred", "create"), ("liquidate_deferred", "end")])
def test_every_run_is_green_at_the_first_try(
    airflow: AirflowProcesses, sandbox: SandboxProcess, dag_id: str, task_id: str
) -> None:
    for project in sandbox.projects():
        conf = {"project_id": project["project_id"], "node_id": project["name"].replace("project", "node")}
        body = {"dag_run_id": str(project["project_id"]), "logical_date": None, "conf": conf}
        airflow.api.change("POST", f"/dags/{dag_id}/dagRuns", body)

    def over() -> bool:
        runs = airflow.api.get(f"/dags/{dag_id}/dagRuns?limit=1000")["dag_runs"]
        return all(run["state"] in ("success", "failed") for run in runs)

    assert processes.wait_until(over, WITHIN_SECONDS, every=1.0)
    tasks = airflow.api.get(f"/dags/{dag_id}/dagRuns/~/taskInstances?limit=1000")["task_instances"]
    assert {(task["state"], task["try_number"]) for task in tasks} == {("success", 1)}
    results = [_result(airflow, dag_id, task) for task in tasks if task["task_id"] == task_id]
    assert len(results) == PROJECTS
    credited = [result.get("how") == "created" or result.get("already_over") is False for result in results]
    assert all(credited)


def test_each_deployment_was_made_and_liquidated_once(sandbox: SandboxProcess) -> None:
    found = [(one["status"], one["requested"]) for one in sandbox.deployments()]
    assert found == [("Liquidated", ["liquidate"])] * PROJECTS
    assert len(sandbox.requests("live/create")) == len(sandbox.requests("live/update/liquidate")) == PROJECTS


def _result(airflow: AirflowProcesses, dag_id: str, task: dict[str, Any]) -> dict[str, Any]:
    path = f"/dags/{dag_id}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}/xcomEntries"
    return dict(airflow.api.get(f"{path}/return_value")["value"])
