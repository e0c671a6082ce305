"""DAG runs of the soak: triggered, counted, waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev.console import fail
from dev.processes import wait_until

if TYPE_CHECKING:
    from dev.patient_api import PatientApi

DEPLOY, WIND_DOWN = "quantconnect_deploy", "quantconnect_wind_down"
WATCH, HARVEST = "quantconnect_watch", "quantconnect_harvest_insights"
DAGS = (DEPLOY, WIND_DOWN, WATCH, HARVEST)
OVER_WITHIN_SECONDS = 420.0
_ACTIVE = "state=queued&state=running"


class Runs:
    """The runs of the shipped DAGs, whoever triggered them."""

    def __init__(self, api: PatientApi) -> None:
        self._api = api

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run, and return its id."""
        body = {"logical_date": None, "conf": conf or {}}
        return str(self._api.change("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def is_active(self, dag_id: str = "~") -> bool:
        """Whether a run of the DAG, by default of any, is not over."""
        return self.count(dag_id, _ACTIVE) > 0

    def count(self, dag_id: str = "~", query: str = "") -> int:
        """Count the runs that a query finds."""
        return int(self._api.get(f"/dags/{dag_id}/dagRuns?limit=1&{query}")["total_entries"])

    def until_over(self) -> None:
        """Wait until no run is active; ends the program when that takes too long."""
        if not wait_until(lambda: not self.is_active(), OVER_WITHIN_SECONDS, every=1.0):
            found = self._api.get(f"/dags/~/dagRuns?limit=20&{_ACTIVE}")["dag_runs"]
            names = ", ".join(f"{run['dag_id']} {run['dag_run_id']}" for run in found)
            fail(f"these runs are not over after {OVER_WITHIN_SECONDS:.0f} s: {names}")

    def failed(self) -> list[str]:
        """Name the runs that failed."""
        found = self._api.get("/dags/~/dagRuns?limit=1000&state=failed")["dag_runs"]
        return sorted(f"{run['dag_id']} {run['dag_run_id']}" for run in found)
