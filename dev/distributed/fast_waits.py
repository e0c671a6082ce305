"""Second part of `make distributed`: waits that end within seconds, on two Celery workers.

    python -m dev.distributed.fast_waits

Projects are built, deployed and liquidated. Half of them are ready at once, the others just after their
task has deferred, when Airflow's scheduler may still handle the report of the deferred run. Every task must
succeed at its first try. The exit status is 0 only if all do.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dev.console import fail, say, step
from dev.distributed.cluster import Cluster, api_connection, cluster_environment, running_cluster
from dev.distributed.runs import Runs
from dev.distributed.servers import program, running_postgres, running_redis
from dev.processes import wait_until
from dev.venv import ROOT
from quantconnect_provider.sandbox.process import SandboxProcess
from quantconnect_provider.tasks.waiting import WORKER_SECONDS

PROJECTS = 25
DAGS = ("build_deferred", "liquidate_deferred")
WORKERS = {"worker-1": 8, "worker-2": 8}
WITHIN_SECONDS = 300.0
AT_ONCE: dict[str, Any] = {"starting": {}, "sell_seconds": 0.0, "liquidate_seconds": 0.0}
BUNDLE = {
    "name": "small",
    "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
    "kwargs": {"path": str(ROOT / "tests" / "chaos" / "dags")},
}


def around_the_deferral(number: int) -> dict[str, Any]:
    """Return how fast a project starts and ends: soon after its task has left the worker."""
    seconds = WORKER_SECONDS - 1.0 + 0.5 * number
    return {"starting": {"InQueue": seconds}, "sell_seconds": seconds, "liquidate_seconds": seconds}


def scenario() -> dict[str, Any]:
    """Return an account with a live node for each project."""
    return {
        "nodes": {"live": [{"name": f"node {number}"} for number in range(PROJECTS)]},
        "defaults": {
            "build": {"polls": 0},
            "holdings": [
                {"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 2, "averagePrice": 600}
            ],
        },
        "projects": [
            {
                "name": f"project {number}",
                "deploy": around_the_deferral(number // 2) if number % 2 else AT_ONCE,
            }
            for number in range(PROJECTS)
        ],
    }


def play(cluster: Cluster, sandbox: SandboxProcess, dag_id: str) -> Counter[tuple[str, int]]:
    """Run a DAG once for each project, and count its task instances by state and try."""
    runs = Runs(cluster.api)
    for project in sandbox.projects():
        node = project["name"].replace("project", "node")
        runs.trigger(dag_id, {"project_id": project["project_id"], "node_id": node})
    with step(f"{PROJECTS} runs of {dag_id}"):
        if not wait_until(runs.are_over, WITHIN_SECONDS, every=1.0):
            fail(f"{dag_id} takes longer than {WITHIN_SECONDS:.0f} s")
    return Counter((str(task["state"]), int(task["try_number"])) for task in runs.all_tasks())


def main() -> int:
    """Run it all in temporary folders."""
    for name in ("initdb", "postgres", "pg_isready", "redis-server", "redis-cli"):
        program(name)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quantconnect-fast-waits-")))
        postgres = stack.enter_context(running_postgres("fsync=off"))
        redis = stack.enter_context(running_redis())
        sandbox = stack.enter_context(SandboxProcess(scenario()))
        settings = {
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([BUNDLE]),
            "AIRFLOW__QUANTCONNECT__POLL_INTERVAL_SECONDS": "1",
        }
        connection = api_connection(sandbox.base_url, 60_000)
        cluster = Cluster(home, postgres, cluster_environment(home, postgres, redis, connection, settings))
        with step(f"Starting Airflow with {len(WORKERS)} Celery workers"):
            stack.enter_context(running_cluster(cluster, WORKERS))
        tasks = sum((play(cluster, sandbox, dag_id) for dag_id in DAGS), Counter[tuple[str, int]]())
    good = tasks[("success", 1)]
    say(f"\nfast waits: {good} of {tasks.total()} tasks succeeded at their first try")
    return 0 if good == tasks.total() else 1


if __name__ == "__main__":
    sys.exit(main())
