"""Airflow's components as processes on loopback: CeleryExecutor, and as many workers as wanted."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil

from dev import processes
from dev.api import PATIENCE_SECONDS, AirflowApi
from dev.console import fail, tail
from dev.ports import LOOPBACK, free_port
from dev.settings import CONNECTION_VARIABLE, POOL, PYTHON, common_environment
from dev.up import COMPONENTS, HEALTHY_WITHIN_SECONDS, metadata
from dev.venv import ROOT, child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dev.distributed.servers import Postgres

# A worker does without: tasks may be anybody's code, and reach Airflow's database by the API server only.
KEPT_FROM_WORKERS = (
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
)


def cluster_environment(
    home: Path, postgres: Postgres, redis: str, connection: str, settings: Mapping[str, str]
) -> dict[str, str]:
    """Return what every component gets; nothing that a user set for Airflow gets in.

    :param connection: the connection `quantconnect_default`, as text.
    :param settings: further Airflow settings, by the names of their variables.
    """
    own = {name: value for name, value in child_environment().items() if not name.startswith("AIRFLOW")}
    address = f"http://{LOOPBACK}:{free_port()}"
    return {
        **common_environment(home, own),
        CONNECTION_VARIABLE: connection,
        "AIRFLOW_CONN_QUANTCONNECT_STORE": postgres.url("store"),
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": postgres.url("airflow", "+psycopg2"),
        "AIRFLOW__CELERY__BROKER_URL": redis,
        "AIRFLOW__CELERY__RESULT_BACKEND": redis,
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": address.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # only what is triggered here runs
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__QUANTCONNECT__POOL": POOL,
        **settings,
    }


class Cluster:
    """The running components. They are ended with the block of :func:`running_cluster`."""

    def __init__(self, home: Path, postgres: Postgres, environment: Mapping[str, str]) -> None:
        self._postgres = postgres
        self.logs = home / "components"
        self.records = home / "run"
        self._environment = dict(environment)
        self.api = AirflowApi(self._environment["AIRFLOW__API__BASE_URL"], timeout_seconds=PATIENCE_SECONDS)
        self.store_url = self._environment["AIRFLOW_CONN_QUANTCONNECT_STORE"].replace("://", "+psycopg://", 1)

    def prepare(self) -> None:
        """Make both databases, Airflow's tables and the pool."""
        for database in ("airflow", "store"):
            self._postgres.create_database(database)
        metadata(self._environment, "prepare")

    def start(self, name: str) -> processes.Record:
        """Start one of Airflow's own components."""
        return self._start(name, [name, *COMPONENTS[name]], self._environment)

    def start_worker(self, name: str, concurrency: int) -> processes.Record:
        """Start a Celery worker that runs so many tasks at a time."""
        known = {key: value for key, value in self._environment.items() if key not in KEPT_FROM_WORKERS}
        command = ["celery", "worker", "--celery-hostname", name, "--concurrency", str(concurrency)]
        # A name of its own, so that the result shows which worker ran a task.
        known["AIRFLOW__CORE__HOSTNAME_CALLABLE"] = "dev.distributed.hostname.worker_name"
        known["QUANTCONNECT_WORKER_NAME"] = name
        return self._start(name, [*command, "--skip-serve-logs"], known)

    def _start(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> processes.Record:
        command: list[str | Path] = [PYTHON, "-m", "airflow", *arguments]
        return processes.start(name, command, self.logs / f"{name}.log", self.records, environment)

    def wait_until_healthy(self) -> None:
        """Wait for all components and all DAG files; ends the program when one of them is gone or late."""
        files = len(list((ROOT / "dags").glob("*.py")))

        def settled() -> bool:
            return bool(self.gone()) or (self.api.is_healthy() and sum(self.api.loaded_dags()) >= files)

        if not processes.wait_until(settled, HEALTHY_WITHIN_SECONDS, every=0.5) or self.gone():
            blamed = (self.gone() or ["scheduler"])[0]
            fail(f"Airflow did not come up; the end of {blamed}.log:\n\n{tail(self.logs / f'{blamed}.log')}")

    def gone(self) -> list[str]:
        """Name the started components whose first process has ended."""
        return [record.name for record in processes.read(self.records) if not processes.is_running(record)]

    def kill(self, name: str) -> int:
        """Kill a component with all its processes at once, with no chance to tidy up; returns how many."""
        killed = self._signal(name, signal.SIGKILL)
        (self.records / f"{name}.json").unlink()
        return killed

    def freeze(self, name: str) -> None:
        """Halt all processes of a component where they are."""
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let the processes of a component that was frozen go on."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> int:
        [record] = [record for record in processes.read(self.records) if record.name == name]
        members = processes.members(record)
        for process in members:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
        return len(members)

    def stop(self, name: str) -> None:
        """Let a component end as it would before a restart."""
        [record] = [record for record in processes.read(self.records) if record.name == name]
        processes.stop([record])
        (self.records / f"{name}.json").unlink()

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time of every component so far, its ended tasks included."""
        records = processes.read(self.records)
        return {record.name: sum(map(cpu_of, processes.members(record))) for record in records}

    def listens_beyond_loopback(self) -> list[tuple[str, int]]:
        """List what other machines could reach."""
        found = processes.listening_addresses(processes.read(self.records))
        return sorted((ip, port) for ip, port in found if ip not in (LOOPBACK, "::1"))


def cpu_of(process: psutil.Process) -> float:
    """Return the CPU time of a process and of its ended children, in seconds; 0 when it has ended itself."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


@contextmanager
def running_cluster(cluster: Cluster, workers: Mapping[str, int]) -> Iterator[None]:
    """Run the components and workers (name: slots) for the length of a block, then end every process."""
    try:
        cluster.prepare()
        for name in COMPONENTS:
            cluster.start(name)
        for name, concurrency in workers.items():
            cluster.start_worker(name, concurrency)
        cluster.wait_until_healthy()
        yield
    finally:
        left = processes.stop(processes.read(cluster.records))
    if left:
        fail(f"these processes could not be ended: {', '.join(str(process.pid) for process in left)}")


def api_connection(base_url: str, requests_per_minute: float, api_token: str = "sandbox") -> str:
    """Return the connection to a local API with a limit that all workers share."""
    return json.dumps(
        {
            "conn_type": "quantconnect",
            "host": base_url,
            "login": "1",
            "password": api_token,
            "extra": {"requests_per_minute": requests_per_minute},
        }
    )
