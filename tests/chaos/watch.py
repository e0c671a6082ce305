"""One look a second at Airflow and the sandbox for everyone who waits, however many cases are under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import requests

from dev.patient_api import PatientApi
from quantconnect_provider.sandbox import RemoteSandbox

T = TypeVar("T")

EVERY_SECONDS = 1.0
OVERLAP = timedelta(seconds=20)
LONGEST_WAIT_SECONDS = 600.0  # what waits in vain fails by itself, and leaves the others their time


class Watch:
    """What Airflow and the sandbox showed last.

    :param deadline: seconds of `time.monotonic` after which nobody waits any longer.
    """

    def __init__(self, api: PatientApi, sandbox: RemoteSandbox, deadline: float) -> None:
        self._api = api
        self._sandbox = RemoteSandbox(sandbox.port)
        self._deadline = deadline
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._since: datetime | None = None
        self.runs: dict[str, str] = {}
        self.tasks: dict[tuple[str, str], dict[str, Any]] = {}
        self.struck: dict[int, int] = {}
        self._thread = threading.Thread(target=self._keep_looking, name="watch", daemon=True)
        self._thread.start()

    def until(self, look: Callable[[], T | None], what: str) -> T:
        """Return the first thing that *look* finds (not None and not False) in what is seen.

        :raises AssertionError: naming *what*, if it never comes.
        """
        deadline = min(self._deadline, time.monotonic() + LONGEST_WAIT_SECONDS)
        with self._changed:
            while not (found := look()):
                left = deadline - time.monotonic()
                if left <= 0 or self._over.is_set():
                    raise AssertionError(f"waited in vain for: {what}")
                self._changed.wait(left)
            return found

    def stop(self) -> None:
        """Look no more; whoever still waits fails."""
        self._over.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    def _keep_looking(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            struck = {fault["fault_id"]: fault["applied"] for fault in self._sandbox.faults()}
            since = datetime.now(timezone.utc)
            try:
                tasks, runs = self._changed_in_airflow()
            except requests.RequestException:  # the API server is one of those who are killed
                tasks, runs = [], []
            else:
                self._since = since
            with self._changed:
                self.struck.update(struck)
                self.tasks.update({(task["dag_run_id"], task["task_id"]): task for task in tasks})
                self.runs.update({run["dag_run_id"]: run["state"] for run in runs})
                self._changed.notify_all()

    def _changed_in_airflow(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        query = "?limit=1000"
        if self._since is not None:
            query += "&updated_at_gte=" + (self._since - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
        tasks = self._api.get(f"/dags/~/dagRuns/~/taskInstances{query}")["task_instances"]
        runs = self._api.get(f"/dags/~/dagRuns{query}")["dag_runs"]
        return tasks, runs
