"""A death that several runs of the watch see at the same moment, one of them killed: one redeploy.

A whole Airflow of its own, whose DAG `quantconnect_watch` may have several runs at once. The first guard that
has claimed the event kills its own process before it says which run to trigger.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dev import processes
from dev.airflow_processes import AirflowProcesses
from dev.distributed.servers import running_postgres
from quantconnect_provider.sandbox import SandboxProcess
from quantconnect_provider.store import Store
from quantconnect_provider.store.watch_tables import events

DAGS = Path(__file__).parents[2] / "dags"
PROJECT = 1001
RUNS = 4
WITHIN_SECONDS = 300.0
POLICY = {"event": "died", "projects": [PROJECT], "action": "redeploy", "deploy": {}, "backoff_seconds": 0}
SCENARIO: dict[str, Any] = {
    "nodes": {"live": [{"name": "first"}, {"name": "second"}, {"name": "third"}]},
    "api": {"create_while_running": "second"},  # a duplicate must be possible, or nothing would be proven
    "projects": [
        {
            "name": "dead",
            "id": PROJECT,
            "deployments": [{"status": "RuntimeError", "stopped_ago_seconds": 60}],
        }
    ],
}
SETTINGS = f"""
import os
import signal
from datetime import timedelta

def dag_policy(dag):
    dag.max_active_runs = {2 * RUNS}

def task_policy(task):
    task.retry_delay = timedelta(seconds=1)
    if (task.dag_id, task.task_id) == ("quantconnect_watch", "guard"):
        task._post_execute_hook = die_once

def die_once(context, result=None):
    if result:
        try:
            os.close(os.open(os.environ["CHAOS_GUARD_KILLED"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass(frozen=True)
class Stage:
    """What the test acts on.

    :param killed: the file that is there once a guard was killed.
    """

    airflow: AirflowProcesses
    sandbox: SandboxProcess
    store_url: str
    killed: Path

    def runs(self, dag_id: str) -> dict[str, str]:
        """Return the states of a DAG's runs, by run id."""
        found = self.airflow.api.get(f"/dags/{dag_id}/dagRuns?limit=100")["dag_runs"]
        return {run["dag_run_id"]: run["state"] for run in found}

    def watch(self, *run_ids: str) -> None:
        """Trigger these runs of the watch, and wait until they and what they triggered are over."""
        for run_id in run_ids:
            body = {"dag_run_id": run_id, "logical_date": None, "conf": {}}
            self.airflow.api.change("POST", "/dags/quantconnect_watch/dagRuns", body)
        self.airflow.api.change("PATCH", "/dags/quantconnect_watch", {"is_paused": False})

        def over() -> bool:
            states = [*self.runs("quantconnect_watch").values(), *self.runs("quantconnect_deploy").values()]
            return all(state in ("success", "failed") for state in states)

        assert processes.wait_until(over, WITHIN_SECONDS, every=1.0)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("guards")
    killed = home / "killed"
    with SandboxProcess(SCENARIO) as sandbox, running_postgres("fsync=off") as postgres:
        for database in ("airflow", "store"):
            postgres.create_database(database)
        variables = {
            "AIRFLOW_CONN_QUANTCONNECT_DEFAULT": sandbox.airflow_connection(),
            "AIRFLOW_CONN_QUANTCONNECT_STORE": postgres.url("store"),
            "AIRFLOW__QUANTCONNECT__POLICIES": json.dumps([POLICY]),
            "CHAOS_GUARD_KILLED": str(killed),
        }
        database = postgres.url("airflow", "+psycopg2")
        airflow = AirflowProcesses(home / "airflow", database, {"shipped": DAGS}, variables, SETTINGS)
        try:
            airflow.start("quantconnect_watch", "quantconnect_deploy")
            airflow.api.change("PATCH", "/dags/quantconnect_deploy", {"is_paused": False})
            yield Stage(airflow, sandbox, postgres.url("store"), killed)
        finally:
            airflow.stop()


def test_a_death_leads_to_one_redeploy(stage: Stage) -> None:
    [dead] = stage.sandbox.deployments(PROJECT)
    stage.watch(*(f"at-once-{number}" for number in range(RUNS)))
    stage.watch("later")

    watched = stage.runs("quantconnect_watch")
    assert set(watched.values()) == {"success"}, watched
    assert stage.killed.exists()
    path = "/dags/quantconnect_watch/dagRuns/~/taskInstances?limit=100"
    guards = [task for task in stage.airflow.api.get(path)["task_instances"] if task["task_id"] == "guard"]
    assert sorted(task["try_number"] for task in guards) == [1] * (len(watched) - 1) + [2]
    run_id = f"guard__{dead['deploy_id']}-died-1"
    assert stage.runs("quantconnect_deploy") == {run_id: "success"}
    assert [each["status"] for each in stage.sandbox.deployments(PROJECT)] == ["RuntimeError", "Running"]
    assert len(stage.sandbox.requests("live/create")) == 1
    with Store.open(stage.store_url) as store, store.read() as connection:
        found = {(row.kind, row.action, row.action_run_id) for row in connection.execute(events.select())}
    assert found == {("died", "redeploy", run_id), ("recovered", None, None)}
