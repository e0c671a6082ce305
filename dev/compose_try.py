"""Tries a running `docker compose --profile sandbox up`: deploys and harvests through its API.

    python3 -m dev.compose_try [http://127.0.0.1:8080]

Standard library only. The password is read from `.env`, which `make compose-env` wrote. Exit 0 if both DAG
runs succeeded.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import Any

from dev.api import AirflowApi
from dev.compose_env import ENV_FILE
from dev.console import fail, say

PROJECT_ID = 23456002
WITHIN_SECONDS = 400
OVER = ("success", "failed")


def admin_password() -> str:
    """Return the UI's password from `.env`."""
    pairs = (line.partition("=") for line in ENV_FILE.read_text(encoding="utf-8").splitlines())
    found = {name.strip(): value.strip() for name, _, value in pairs}
    if "AIRFLOW_ADMIN_PASSWORD" not in found:
        fail(f"{ENV_FILE} has no AIRFLOW_ADMIN_PASSWORD; run make compose-env")
    return found["AIRFLOW_ADMIN_PASSWORD"]


def run_dag(api: AirflowApi, dag_id: str, conf: dict[str, Any]) -> bool:
    """Trigger a DAG, wait until its run is over, and say which worker ran what; whether it succeeded."""
    started = time.monotonic()
    runs = f"/api/v2/dags/{dag_id}/dagRuns"
    run_id = api.call("POST", runs, {"logical_date": None, "conf": conf})["dag_run_id"]
    state = "queued"
    while state not in OVER and time.monotonic() - started < WITHIN_SECONDS:
        time.sleep(2)
        state = api.call("GET", f"{runs}/{run_id}")["state"]
    tasks = api.call("GET", f"{runs}/{run_id}/taskInstances?limit=200")["task_instances"]
    say(f"{dag_id}: {state} after {time.monotonic() - started:.0f} s")
    for (task, outcome, host), count in sorted(Counter(map(where, tasks)).items()):
        say(f"  {task}: {count} {outcome} on {host}")
    return state == "success"


def where(task: dict[str, Any]) -> tuple[str, str, str]:
    """Return a task instance's name, state and the worker that ran it."""
    return str(task["task_id"]), str(task["state"]), str(task["hostname"] or "no worker")


def main(arguments: list[str]) -> int:
    """Deploy one of the sandbox's projects, then harvest all deployments."""
    api = AirflowApi(arguments[0] if arguments else "http://127.0.0.1:8080", "admin", admin_password())
    good = run_dag(api, "quantconnect_deploy", {"project_id": PROJECT_ID, "if_running": "adopt"})
    good = run_dag(api, "quantconnect_harvest_insights", {}) and good
    say("Both runs succeeded." if good else "Not all of it worked.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
