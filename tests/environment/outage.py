"""A whole Airflow whose database server a test stops, with projects to stop, deploy and harvest."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import requests

from dev.airflow_processes import AirflowProcesses
from dev.ports import LOOPBACK, free_port
from dev.processes import wait_until
from dev.venv import ROOT
from quantconnect_provider.sandbox import SandboxProcess
from tests.store.postgres import OwnServer

DEPLOY, STOP, HARVEST = "quantconnect_deploy", "quantconnect_wind_down", "quantconnect_harvest_insights"
DAGS = (DEPLOY, STOP, HARVEST)
STOPPED, DEPLOYED, HARVESTED = 1001, 1002, 1003
INSIGHTS = 4000
OUTAGE_SECONDS = 30.0
WITHIN_SECONDS = 420.0

API_CANARY, DATABASE_CANARY, BROKERAGE_CANARY = "api-canary", "database-canary", "brokerage-canary"
SECRETS_OF_AIRFLOW = (
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__API__SECRET_KEY",
)
BROKERAGE = {
    "conn_type": "quantconnect_brokerage",
    "login": "InteractiveBrokersBrokerage",
    "password": json.dumps({"ib-user-name": "somebody", "ib-password": BROKERAGE_CANARY}),
    "extra": {
        "ib-account": "U1234567",
        "ib-weekly-restart-utc-time": "22:00:00",
        "allow_unattended": True,
    },
}
SCENARIO: dict[str, Any] = {
    "nodes": {"live": [{"name": f"node {number}"} for number in range(4)]},
    "api": {"create_while_running": "second"},  # a duplicate must be possible, or nothing would be proven
    "projects": [
        {"name": "stopped", "id": STOPPED, "deploy": {"stop_seconds": 100_000}, "deployments": [{}]},
        {"name": "deployed", "id": DEPLOYED},
        {
            "name": "harvested",
            "id": HARVESTED,
            "deployments": [{"insights": {"history": {"count": INSIGHTS, "every_seconds": 60}}}],
        },
    ],
}


class Stage:
    """Airflow and what it works with; made by `running_stage`."""

    def __init__(self, airflow: AirflowProcesses, sandbox: SandboxProcess, server: OwnServer, store: str):
        self.airflow = airflow
        self.sandbox = sandbox
        self.server = server
        self.store = store
        self.restarts: Counter[str] = Counter()

    def trigger(self, dag_id: str, **conf: Any) -> None:
        """Start the DAG's one run."""
        body = {"dag_run_id": dag_id, "logical_date": None, "conf": conf}
        self.airflow.api.change("POST", f"/dags/{dag_id}/dagRuns", body)

    def states(self) -> dict[str, str]:
        """Return the state of each DAG's run; empty while Airflow does not answer."""
        return {run["dag_id"]: run["state"] for run in self._ask("/dags/~/dagRuns", "dag_runs")}

    def is_over(self) -> bool:
        """Whether Airflow says that the run of each DAG has ended."""
        ended = [state for state in self.states().values() if state in ("success", "failed")]
        return len(ended) == len(DAGS)

    def task_states(self, dag_id: str, task_id: str) -> list[str]:
        """Return the states of a task of the DAG's run; empty while Airflow does not answer."""
        tasks = self._ask(f"/dags/{dag_id}/dagRuns/~/taskInstances", "task_instances")
        return [task["state"] for task in tasks if task["task_id"] == task_id]

    def _ask(self, path: str, what: str) -> list[dict[str, Any]]:
        try:
            return list(self.airflow.api.get(f"{path}?limit=1000")[what])
        except requests.RequestException as error:
            if error.response is not None and error.response.status_code < 500:
                raise
            return []

    def has_struck(self, fault_id: int) -> bool:
        """Whether the fault has met its request."""
        return any(fault["fault_id"] == fault_id and fault["applied"] for fault in self.sandbox.faults())

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition; fails when it takes too long."""
        assert wait_until(condition, WITHIN_SECONDS, every=1.0), f"{what}: {self.states()}, {self.restarts}"

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """End the database server as a crash does; it is back when the block and half a minute are over."""
        self.server.stop()
        began = time.monotonic()
        try:
            yield
            time.sleep(max(0.0, began + OUTAGE_SECONDS - time.monotonic()))
        finally:
            self.server.start()

    @contextmanager
    def restarting(self) -> Iterator[None]:
        """Start again what ends, as `restart: unless-stopped` of every service in docker-compose.yaml does.

        Without it there would be no scheduler after the outage: Airflow's ends when its database is away.
        """
        over = threading.Event()

        def keep_up() -> None:
            while not over.wait(1.0):
                for name in self.airflow.ended_components():
                    self.restarts[name] += 1
                    self.airflow.start_again(name)

        thread = threading.Thread(target=keep_up, name="restarting")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def logs(self) -> dict[str, str]:
        """Return what Airflow wrote: its components, its tasks and its triggers, by file."""
        home = self.airflow.home
        files = [*(home / "components").rglob("*.log"), *(home / "logs").rglob("*.log")]
        assert any(f"dag_id={DEPLOY}" in str(path) for path in files)
        return {str(path.relative_to(home)): path.read_text(errors="replace") for path in files}

    def secrets_in(self, text: str) -> list[str]:
        """Return the secrets of the sandbox, the databases, the brokerage and Airflow that a text has."""
        own = [self.airflow.environment[name] for name in SECRETS_OF_AIRFLOW]
        known = (API_CANARY, DATABASE_CANARY, BROKERAGE_CANARY, *own)
        return [secret for secret in known if secret in text]


@contextmanager
def running_stage(home: Path) -> Iterator[Stage]:
    """Run everything for the length of a block; the store is in the server too, as in docker-compose.yaml."""
    port = free_port()
    address = f"tester:{DATABASE_CANARY}@{LOOPBACK}:{port}"
    with SandboxProcess(SCENARIO, api_token=API_CANARY) as sandbox, OwnServer(port) as server:
        with psycopg.connect(server.address, autocommit=True) as connection:
            for database in ("airflow", "store"):
                connection.execute(f"CREATE DATABASE {database}")
        store = f"postgresql://{address}/store"
        variables = {
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
            "AIRFLOW_CONN_QUANTCONNECT_DEFAULT": sandbox.airflow_connection(timeout_seconds=60),
            "AIRFLOW_CONN_QUANTCONNECT_STORE": store,
            "AIRFLOW_CONN_IB": json.dumps(BROKERAGE),
        }
        database = f"postgresql+psycopg2://{address}/airflow"
        airflow = AirflowProcesses(home / "airflow", database, {"shipped": ROOT / "dags"}, variables)
        try:
            airflow.start(*DAGS)
            yield Stage(airflow, sandbox, server, store)
        finally:
            airflow.stop()
