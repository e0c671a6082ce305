"""DAG runs of the cluster, as its API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dev.api import AirflowApi

HARVEST = "quantconnect_harvest_insights"
EXTRACT = "extract"
TRADING = "trading"
OVER = ("success", "failed")


class Runs:
    """The runs that were triggered here."""

    def __init__(self, api: AirflowApi) -> None:
        self._api = api
        self.triggered: list[tuple[str, str]] = []

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run and return its id."""
        path = f"/api/v2/dags/{dag_id}/dagRuns"
        run_id = str(self._api.call("POST", path, {"logical_date": None, "conf": conf})["dag_run_id"])
        self.triggered.append((dag_id, run_id))
        return run_id

    def state(self, dag_id: str, run_id: str) -> str:
        """Return how a run stands."""
        return str(self._api.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def states(self) -> list[tuple[str, str]]:
        """Return the DAG and the state of every run."""
        runs = self._all("/api/v2/dags/~/dagRuns", "dag_runs")
        known = {(run["dag_id"], run["dag_run_id"]): str(run["state"]) for run in runs}
        return [(dag_id, known[dag_id, run_id]) for dag_id, run_id in self.triggered]

    def are_over(self) -> bool:
        """Whether every run has ended."""
        return all(state in OVER for _, state in self.states())

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return all task instances of a run."""
        return self._all(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances")

    def all_tasks(self) -> list[dict[str, Any]]:
        """Return all task instances of all runs."""
        return [task for dag_id, run_id in self.triggered for task in self.tasks(dag_id, run_id)]

    def workers_at(self, task_id: str, run_id: str, state: str) -> set[str]:
        """Name the workers of a harvest's batches that are in a state now."""
        batches = [task for task in self.tasks(HARVEST, run_id) if task["task_id"] == task_id]
        return {str(task["hostname"]) for task in batches if task["state"] == state}

    def running_on(self, worker: str) -> list[str]:
        """Name the tasks that a worker runs now."""
        return sorted(
            f"{task['task_id']} {task['map_index']}" if task["map_index"] >= 0 else str(task["task_id"])
            for task in self.all_tasks()
            if task["state"] == "running" and task["hostname"] == worker
        )

    def is_anything_deferred(self) -> bool:
        """Whether a task waits in the triggerer now."""
        return any(task["state"] == "deferred" for task in self.all_tasks())

    def tries(self, dag_id: str, run_id: str, task_id: str, map_index: int) -> list[dict[str, Any]]:
        """Return every try of a task instance, the first one first."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/{map_index}/tries"
        return sorted(self._api.call("GET", path)["task_instances"], key=lambda one: int(one["try_number"]))

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task returned."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._api.call("GET", f"{path}?deserialize=false&stringify=false")["value"]

    def _all(self, path: str, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self._api.call("GET", f"{path}?limit=100&offset={len(found)}")
            found += page[key]
            if len(found) >= page["total_entries"] or not page[key]:
                return found
