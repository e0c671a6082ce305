"""A whole Airflow as real processes on loopback: started, killed by name, started again, ended for good."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from dev import processes
from dev.patient_api import PatientApi
from dev.ports import LOOPBACK, free_port
from dev.settings import PYTHON, common_environment
from dev.up import COMPONENTS
from dev.venv import ROOT, child_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
HEALTHY_WITHIN_SECONDS = 240.0
PATIENCE_SECONDS = 30.0
SETTINGS = {
    "CORE__PARALLELISM": "16",
    "CORE__MAX_ACTIVE_RUNS_PER_DAG": "500",
    "CORE__MAX_ACTIVE_TASKS_PER_DAG": "500",
    "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "API__MAXIMUM_PAGE_LIMIT": "1000",
    "WORKERS__EXECUTION_API_TIMEOUT": "60",
    # A killed component is noticed after a minute or less, but a slow machine must not look like one.
    "SCHEDULER__JOB_HEARTBEAT_SEC": "3",
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "60",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "SCHEDULER__MAX_TIS_PER_QUERY": "64",
    "SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": "200",
    "SCHEDULER__MAX_DAGRUNS_TO_CREATE_PER_LOOP": "50",
    "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
    "TRIGGERER__JOB_HEARTBEAT_SEC": "3",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "30",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "600",
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
    # The waits that hours of real trading need, shortened; how often a task retries stays as shipped.
    "QUANTCONNECT__CERTAINTY_SECONDS": "6",
    "QUANTCONNECT__POLL_INTERVAL_SECONDS": "1",
    "QUANTCONNECT__ORDERS_LOADING_SECONDS": "1",
    "QUANTCONNECT__DEPLOY_TIMEOUT_SECONDS": "600",
    "QUANTCONNECT__WIND_DOWN_TIMEOUT_SECONDS": "600",
    "QUANTCONNECT__FLAT_TIMEOUT_SECONDS": "120",
}

SHORT_DELAYS = '''
from datetime import timedelta

def task_policy(task):
    """Retry soon; how often stays as the DAG says."""
    task.retry_delay = timedelta(seconds=1)
'''


class AirflowProcesses:
    """Scheduler (with its workers), triggerer, DAG processor and API server.

    :param home: an empty folder.
    :param database: the address of an empty database.
    :param bundles: the folders with DAG files, by name.
    :param variables: more environment variables for all of them, such as connections.
    :param local_settings: the code of their ``airflow_local_settings``.
    """

    def __init__(
        self,
        home: Path,
        database: str,
        bundles: Mapping[str, Path],
        variables: Mapping[str, str],
        local_settings: str = SHORT_DELAYS,
    ) -> None:
        self.home = home
        self._local_settings = local_settings
        port = free_port()
        address = f"http://{LOOPBACK}:{port}"
        inherited = {n: v for n, v in child_environment().items() if not n.startswith("AIRFLOW")}
        self.environment = {
            **common_environment(home, inherited),
            **{f"AIRFLOW__{name}": value for name, value in SETTINGS.items()},
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
                [
                    {"name": name, "classpath": LOCAL_BUNDLE, "kwargs": {"path": str(folder)}}
                    for name, folder in bundles.items()
                ]
            ),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": address,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
            **variables,
        }
        self.api = PatientApi(address)
        self._started: list[subprocess.Popen[bytes]] = []
        self._sessions: list[processes.Record] = []
        self._running: dict[str, processes.Record] = {}

    def start(self, *dag_ids: str) -> None:
        """Prepare the database, start all components, and wait until these DAGs are loaded."""
        (self.home / "config").mkdir(parents=True)
        (self.home / "components").mkdir()
        (self.home / "config" / "airflow_local_settings.py").write_text(
            self._local_settings, encoding="utf-8"
        )
        subprocess.run(
            [PYTHON, "-m", "airflow", "db", "migrate"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        for name in COMPONENTS:
            self.start_component(name)
        self.until_healthy()
        self._wait(lambda: self._loaded(set(dag_ids)), "the DAGs are not loaded")

    def until_healthy(self) -> None:
        """Wait until every component says that it is well."""
        self._wait(self.api.is_healthy, "Airflow is not healthy")

    def start_component(self, name: str) -> None:
        """Start one component in a session of its own."""
        with self.log_of(name).open("ab") as output:
            process = subprocess.Popen(
                [PYTHON, "-m", "airflow", name, *COMPONENTS[name]],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._started.append(process)
        record = processes.Record(name, process.pid, psutil.Process(process.pid).create_time())
        self._sessions.append(record)
        self._running[name] = record

    def end_component(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the first process of a component and wait until it is gone; its children stay.

        As under any supervisor, one that does not end when asked is killed: a scheduler whose workers were
        killed can wait for them for ever.
        """
        record = self._running.pop(name)
        os.kill(record.pid, number)
        if not processes.wait_until(lambda: not processes.is_running(record), PATIENCE_SECONDS, every=0.5):
            os.kill(record.pid, signal.SIGKILL)
        self._wait(lambda: not processes.is_running(record), f"{name} outlived {number.name}", 30.0)

    def ended_components(self) -> list[str]:
        """Name the components whose first process has ended, though nobody asked it to."""
        return [name for name, record in self._running.items() if not processes.is_running(record)]

    def start_again(self, name: str) -> None:
        """Start a component that has ended, after what is left of it: a container takes all with it."""
        for process in processes.members(self._running.pop(name)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.start_component(name)

    def log_of(self, name: str) -> Path:
        """Where a component writes."""
        return self.home / "components" / f"{name}.log"

    def task_process(self, pid: int) -> psutil.Process:
        """Return the process of a running task, which must be one that this Airflow started."""
        process = psutil.Process(pid)
        assert os.getsid(pid) in {record.pid for record in self._sessions}, f"{pid} is not ours"
        assert os.getpgid(pid) == pid, f"task process {pid} leads no process group"
        return process

    def stop(self) -> None:
        """End every process of every component that was ever started here."""
        for record in self._running.values():
            with suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGTERM)
        first = list(self._running.values())
        processes.wait_until(lambda: not any(map(processes.is_running, first)), 10.0)
        for process in processes.all_members(self._sessions):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for child in self._started:
            child.wait()
        processes.wait_until(lambda: not processes.all_members(self._sessions), 20.0)

    def sessions(self) -> dict[str, list[psutil.Process]]:
        """Return the living processes of each running component, its workers included."""
        return {name: processes.members(record) for name, record in self._running.items()}

    def listening(self) -> set[tuple[str, int]]:
        """Return every address that any of the processes listens on."""
        return processes.listening_addresses(self._sessions)

    def _loaded(self, wanted: set[str]) -> bool:
        broken = self.api.get("/importErrors")["import_errors"]
        assert not broken, broken
        return wanted <= {dag["dag_id"] for dag in self.api.get("/dags")["dags"]}

    def _wait(
        self, condition: Callable[[], bool], problem: str, seconds: float = HEALTHY_WITHIN_SECONDS
    ) -> None:
        if not processes.wait_until(condition, seconds, every=0.5):
            ends = {name: self._end_of(name) for name in COMPONENTS}
            raise AssertionError(f"{problem}: {ends}")

    def _end_of(self, name: str) -> str:
        path = self.log_of(name)
        return path.read_text(errors="replace")[-1500:] if path.exists() else ""
