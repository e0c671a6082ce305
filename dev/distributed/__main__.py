"""`make distributed`: harvest and deploy on two workers, kill two, restart the triggerer, and compare.

    python -m dev.distributed

Two hundred projects are harvested while four others are deployed; all of it shares one limit of requests.
Half of the projects have no orders, which costs the most requests. A worker is killed at the insights, and
the one that takes its place at the orders and trades. Then the store, the deployments and every request that
was made are compared with what the sandbox knows. The last line says how many of the checks hold, and the
exit status is 0 only if all do.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev.console import fail, say, step
from dev.distributed.checks import Check, Evidence, all_checks
from dev.distributed.cluster import Cluster, api_connection, cluster_environment, running_cluster
from dev.distributed.runs import EXTRACT, HARVEST, TRADING, Runs
from dev.distributed.servers import program, running_postgres, running_redis
from dev.distributed.trading_checks import trading_checks
from dev.processes import wait_until
from dev.tables import table
from quantconnect_provider.sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECTS, TO_DEPLOY, INSIGHTS, ORDERS = 200, 4, 150, 40
REQUESTS_PER_MINUTE = 300  # less than two workers could make
WORKERS = {"worker-1": 4, "worker-2": 4}
FINISHED_WITHIN_SECONDS = 900
RUNNING = {"status": "Running"}
SETTINGS = {
    "AIRFLOW__QUANTCONNECT__HARVEST_BATCH_SIZE": "8",
    "AIRFLOW__QUANTCONNECT__HARVEST_MAX_ACTIVE_TASKS": "4",  # as many as the worker that is left has slots
    "AIRFLOW__QUANTCONNECT__POLL_INTERVAL_SECONDS": "2",
    "AIRFLOW__QUANTCONNECT__ORDERS_LOADING_SECONDS": "1",
    # How soon a dead worker's tasks are given to another: minutes by default.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
}


def scenario() -> dict[str, Any]:
    """Return an account with running projects, some to deploy, and an API that refuses what is too much."""
    return {
        "seed": 5,
        "api": {
            "latency_seconds": 0.05,
            "rate_limit": {"requests": REQUESTS_PER_MINUTE, "per_seconds": 60, "window": "sliding"},
        },
        "nodes": {"live": [{"name": f"node {number}"} for number in range(1, PROJECTS + TO_DEPLOY + 1)]},
        "defaults": {
            # Each is over and finally scored before anybody asks for it, so that the truth stands still.
            "insights": {"history": {"count": INSIGHTS, "every_seconds": 600, "period_seconds": 1}},
            # Longer than a task polls in its worker, so that it defers.
            "deploy": {"starting": {"InQueue": 2, "LoggingIn": 2, "Initializing": 20}},
        },
        "projects": [
            {"name": "Strategy {n}", "count": PROJECTS // 2, "deployments": [RUNNING]},
            {
                "name": "Trading strategy {n}",
                "count": PROJECTS // 2,
                "deployments": [RUNNING],
                "orders": {"history": {"count": ORDERS}},
            },
            {"name": "New strategy {n}", "count": TO_DEPLOY, "insights": {"history": {"count": 0}}},
        ],
    }


def run_checks(cluster: Cluster, sandbox: SandboxProcess) -> list[Check]:
    """Start everything, break it on the way, wait for the end, and return what holds."""
    runs = Runs(cluster.api)
    new = [project["project_id"] for project in sandbox.projects() if not project["deploy_ids"]]
    harvest = runs.trigger(HARVEST, {})
    for project_id in new:
        runs.trigger(
            "quantconnect_deploy", {"project_id": project_id, "parameters": {"lot": str(project_id)}}
        )
    with step("Harvesting, until both workers have finished a batch and worker-1 is at another"):
        wait(lambda: both(runs, harvest) and is_held_at("worker-1", cluster, runs, harvest, EXTRACT), 180)
    kill_worker("worker-1", cluster, runs)
    with step("Waiting for a deployment that the triggerer watches"):
        wait(runs.is_anything_deferred, 300)
    cluster.kill("triggerer")
    cluster.start("triggerer")
    say("Killed the triggerer and started it again")
    cluster.start_worker("worker-3", WORKERS["worker-1"])
    with step("Waiting until worker-3, started instead, is at a batch of orders and trades"):
        wait(lambda: is_held_at("worker-3", cluster, runs, harvest, TRADING), 300)
    kill_worker("worker-3", cluster, runs)
    with step("Waiting until every run is over"):
        wait(runs.are_over, FINISHED_WITHIN_SECONDS)
    seen = Evidence(cluster, sandbox, runs, harvest, new, REQUESTS_PER_MINUTE)
    return [*all_checks(seen), *trading_checks(seen)]


def is_held_at(worker: str, cluster: Cluster, runs: Runs, harvest: str, task_id: str) -> bool:
    """Whether a worker is at a batch of this task; then it is frozen, so that it does not end the batch."""

    def is_at() -> bool:
        return worker in runs.workers_at(task_id, harvest, "running")

    if not is_at():
        return False
    cluster.freeze(worker)
    if not is_at():
        cluster.thaw(worker)
        return False
    return True


def both(runs: Runs, harvest: str) -> bool:
    """Whether every worker has finished a batch."""
    return runs.workers_at(EXTRACT, harvest, "success") == set(WORKERS)


def kill_worker(worker: str, cluster: Cluster, runs: Runs) -> None:
    """Kill a worker at whatever it does."""
    lost = runs.running_on(worker)
    say(f"Killing {worker} with {cluster.kill(worker)} processes; it was busy with {', '.join(lost)}")


def wait(condition: Any, seconds: float) -> None:
    """Wait for a condition; ends the program when time is over."""
    if not wait_until(condition, seconds, every=0.5):
        fail(f"waited {seconds:.0f} s in vain")


def conclude(checks: Sequence[Check], seconds: float) -> int:
    """Print every check and the closing line; the exit status."""
    say(table([("ok" if check.holds else "NO", check.what, check.found) for check in checks]))
    good = sum(check.holds for check in checks)
    say(f"\ndistributed: {good} of {len(checks)} checks hold, in {seconds:.0f} s")
    return 0 if good == len(checks) else 1


def main() -> int:
    """Run it all in temporary folders; nothing is left but the last words."""
    began = time.monotonic()
    for name in ("initdb", "postgres", "pg_isready", "redis-server", "redis-cli"):
        program(name)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quantconnect-distributed-")))
        with step("Starting PostgreSQL, Redis and the sandbox"):
            postgres = stack.enter_context(running_postgres("fsync=off"))
            redis = stack.enter_context(running_redis())
            sandbox = stack.enter_context(SandboxProcess(scenario()))
        connection = api_connection(sandbox.base_url, REQUESTS_PER_MINUTE)
        cluster = Cluster(home, postgres, cluster_environment(home, postgres, redis, connection, SETTINGS))
        with step(f"Starting Airflow with {len(WORKERS)} Celery workers"):
            stack.enter_context(running_cluster(cluster, WORKERS))
        checks = run_checks(cluster, sandbox)
    return conclude(checks, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
