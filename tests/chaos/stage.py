"""The stage: one Airflow and one sandbox for the whole suite, and all the runs on it."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from dev.airflow_processes import AirflowProcesses
from dev.distributed.servers import running_postgres
from quantconnect_provider.sandbox import SandboxProcess
from tests.chaos.cases import Case
from tests.chaos.run import Outcome, Run
from tests.chaos.watch import Watch

DAGS = Path(__file__).parent / "dags"
SHIPPED = Path(__file__).parents[2] / "dags"
WHOLE_SUITE_SECONDS = 1800.0
MOST_RUNS = 300
AT_ONCE = 48  # more would only make Airflow's scheduler slow

DATABASE_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    # The workers of a killed scheduler inherited its connection: without this, its transaction would go on,
    # and hold the runs that it had locked, for as long as they live.
    "idle_in_transaction_session_timeout=60s",
)

SCENARIO: dict[str, Any] = {
    "nodes": {"live": [{"name": f"{age} {number}"} for age in ("old", "new") for number in range(MOST_RUNS)]},
    # A duplicate must be possible, or nothing would be proven.
    "api": {"create_while_running": "second"},
    "defaults": {
        "deploy": {"listed_after_seconds": 1.0},  # a new deployment is not to be seen at once
        "holdings": [{"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 2.5, "averagePrice": 600}],
    },
    "projects": [{"name": "bystander", "deployments": [{"status": "Running", "node": "old 0"}]}],
}


@dataclass
class Count:
    """What the last line says."""

    faults: Counter[str]
    duplicates: int = 0
    orphans: int = 0
    disturbed: int = 0

    def __str__(self) -> str:
        faults = sum(self.faults.values())
        return f"{faults} faults, {self.duplicates} duplicates, {self.orphans} orphans"


class Stage:
    """Everything that the tests share; a context manager."""

    def __init__(self, home: Path) -> None:
        self._servers = ExitStack()
        self.sandbox = SandboxProcess(SCENARIO)
        self._home = home
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._played: dict[Case, Future[Outcome]] = {}
        self.runs: list[Run] = []
        self.acts: Counter[str] = Counter()

    def __enter__(self) -> Stage:
        with ExitStack() as started:
            started.enter_context(self.sandbox)
            # SQLite has one writer at a time, and so many runs at once make it refuse.
            postgres = started.enter_context(running_postgres(*DATABASE_SETTINGS))
            postgres.create_database("airflow")
            self.airflow = AirflowProcesses(
                self._home,
                postgres.url("airflow", "+psycopg2"),
                {"chaos": DAGS, "shipped": SHIPPED},
                {
                    "AIRFLOW_CONN_QUANTCONNECT_DEFAULT": self.sandbox.airflow_connection(timeout_seconds=3),
                    "AIRFLOW_CONN_QUANTCONNECT_PATIENT": self.sandbox.airflow_connection(timeout_seconds=120),
                },
            )
            started.callback(self.airflow.stop)
            self.airflow.start("deploy_deferred", "quantconnect_deploy", "quantconnect_wind_down")
            for dag_id in ("quantconnect_deploy", "quantconnect_wind_down"):
                self.airflow.api.change("PATCH", f"/dags/{dag_id}", {"is_paused": False})
            self.watch = Watch(self.airflow.api, self.sandbox, time.monotonic() + WHOLE_SUITE_SECONDS)
            started.callback(self.watch.stop)
            started.callback(self._pool.shutdown, wait=False, cancel_futures=True)
            self._servers = started.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._servers.close()

    def play_all(self, cases: Iterable[Case]) -> None:
        """Start the cases, those first that take long; `outcome_of` waits for each."""
        for case in sorted(cases, key=lambda case: not case.first):
            self._played[case] = self._pool.submit(lambda case=case: self.begin(case).play())

    def outcome_of(self, case: Case) -> Outcome:
        """Return how a case ended, once it has."""
        return self._played[case].result()

    def begin(self, case: Case) -> Run:
        """Make the project and the faults of a case; its run is not triggered yet."""
        with self._lock:
            run = Run(case, next(self._numbers), self.airflow, self.sandbox, self.watch)
            self.runs.append(run)
        return run

    def is_whole(self) -> bool:
        """Whether the sandbox is there to be asked; an interrupt from the keyboard ends it too."""
        try:
            self.sandbox.now()
        except requests.ConnectionError:
            return False
        return True

    def count(self) -> Count:
        """Count what was done to all runs, and what was made that should not have been."""
        count = Count(Counter(self.acts))
        for run in self.runs:
            outcome = run.outcome()
            count.faults.update(run.acts)
            held = [bool(fault.get("hang")) and run.case.script is not None for fault in run.case.faults]
            for fault, struck, is_held in zip(run.case.faults, outcome.struck, held, strict=True):
                if not is_held:  # held requests are counted by what was done meanwhile
                    count.faults[_kind(fault)] += struck
            count.duplicates += outcome.duplicates
            count.orphans += len(outcome.orphans)
        bystander = self.sandbox.deployments(self.sandbox.projects()[0]["project_id"])
        count.disturbed = sum(bool(entry["requested"] or entry["over"]) for entry in bystander)
        return count


def _kind(fault: dict[str, Any]) -> str:
    when = "before it took effect" if fault.get("when", "before") == "before" else "after it took effect"
    if fault.get("body") == "html":
        return f"a page in place of an answer, {when}"
    if "status" in fault:
        return f"HTTP {fault['status']}" + ("" if fault["status"] == 429 else f", {when}")
    names = {"drop": "connection dropped", "truncate": "answer cut off", "hang": "no answer"}
    return next(f"{text}, {when}" for name, text in names.items() if fault.get(name))
