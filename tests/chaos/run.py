"""One run under way: what the scripts do to it, and how it ended."""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import requests

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.sandbox import RemoteSandbox
from quantconnect_provider.sandbox.scenario import merge
from tests.chaos.cases import FLOWS, SPEED, Case

if TYPE_CHECKING:
    from dev.airflow_processes import AirflowProcesses
    from tests.chaos.watch import Watch

ENDED = ("success", "failed", "upstream_failed", "skipped")
STARTED_BEFORE = {"status": "Running", "launched_ago_seconds": 7200}


@dataclass(frozen=True)
class Outcome:
    """The truth about one run, by the sandbox and by Airflow.

    :param before: the deployment that ran before it.
    :param made: the deployments that were made, oldest first.
    :param requested: what was requested of each deployment, by its id; without those of which nothing was.
    :param sent_late: requests to deploy that came in after one had taken effect.
    :param reported: the result of the task.
    :param struck: how often each fault struck, in the case's order.
    """

    state: str
    before: str | None
    made: list[str]
    requested: dict[str, set[str]]
    sent_late: int
    reported: dict[str, Any] | None
    struck: list[int]

    @property
    def duplicates(self) -> int:
        """Deployments, or attempts at one, beyond the first."""
        return max(0, len(self.made) - 1) + self.sent_late

    @property
    def orphans(self) -> list[str]:
        """Deployments that were made and that no task reports."""
        reported = (self.reported or {}).get("deploy_id")
        return [deploy_id for deploy_id in self.made if deploy_id != reported]

    def wrong(self, case: Case) -> list[str]:
        """Return everything that is not as it must be; empty when all is well."""
        flow = FLOWS[case.flow]
        requested = {self.before: {flow.requested}} if flow.requested else {}
        named = (self.reported or {}).get("deploy_id")
        found = [
            (self.state != case.state, f"the run ended as {self.state}"),
            (self.duplicates > 0, f"{self.sent_late} late requests, deployments made: {self.made}"),
            (len(self.made) != flow.makes, f"{len(self.made)} deployments instead of {flow.makes}"),
            (named not in (self.made or [self.before]), f"the task reports {named}, not {self.made}"),
            (self.requested != requested, f"requested: {self.requested} instead of {requested}"),
            (0 in self.struck, f"not every fault struck: {self.struck}"),
        ]
        return [text for is_wrong, text in found if is_wrong]


class Run:
    """One run of a case's flow, on a project of its own."""

    def __init__(
        self, case: Case, number: int, airflow: AirflowProcesses, sandbox: RemoteSandbox, watch: Watch
    ) -> None:
        self.case = case
        self.flow = FLOWS[case.flow]
        self.dag_id = self.flow.dag_id(case.where)
        self.run_id = f"{number:03d}"
        self.airflow = airflow
        self.watch = watch
        self.sandbox = RemoteSandbox(sandbox.port)
        existing = {"deployments": [{**STARTED_BEFORE, "node": f"old {number}"}]}
        project = merge(SPEED[case.where], case.project)
        self.project_id = self.sandbox.add_project(
            case.name, **{**project, **(existing if self.flow.runs_before else {})}
        )
        self.before = self._ids()[0] if self.flow.runs_before else None
        self.acts: Counter[str] = Counter()
        self.faults = [
            self.sandbox.add_fault(**{"project_id": self.project_id, **fault}) for fault in case.faults
        ]
        self._node = f"new {number}"

    def trigger(self) -> None:
        """Start the run."""
        body = {"dag_run_id": self.run_id, "logical_date": None, "conf": self._conf()}
        self.airflow.api.change("POST", f"/dags/{self.dag_id}/dagRuns", body)

    def play(self) -> Outcome:
        """Start the run, do to it what the case says, and wait for its end."""
        self.trigger()
        if self.case.script is not None:
            self.case.script(self)
        return self.finish()

    def finish(self) -> Outcome:
        """Wait for the run's end and return how it ended."""
        self.watch.until(self._is_over, f"end of {self.case}")
        return self.outcome()

    def outcome(self) -> Outcome:
        """Return how things stand."""
        truth = self.sandbox.deployments(self.project_id)
        made = [entry for entry in truth if entry["deploy_id"] != self.before]
        taken_at = min((entry["launched"] for entry in made), default=float("inf"))
        sent = self.sandbox.requests("live/create")
        mine = [request for request in sent if request["params"].get("projectId") == self.project_id]
        late = [request for request in mine if request["at"] > taken_at]
        struck = {fault["fault_id"]: fault["applied"] for fault in self.sandbox.faults()}
        return Outcome(
            state=self.watch.runs.get(self.run_id, "unknown"),
            before=self.before,
            made=[entry["deploy_id"] for entry in made],
            requested={entry["deploy_id"]: set(entry["requested"]) for entry in truth if entry["requested"]},
            sent_late=max(0, len(late) - max(0, len(made) - 1)),
            reported=self._result(),
            struck=[struck.get(fault, self.watch.struck.get(fault, 0)) for fault in self.faults],
        )

    # --- moments to wait for -------------------------------------------------------------------------

    def until_struck(self, index: int = 0) -> None:
        """Wait until the request came in that the case's fault is about."""
        fault = self.faults[index]
        self.watch.until(lambda: self.watch.struck.get(fault), f"fault {index} of {self.case}")

    def until_task(self, *states: str, task: str | None = None, after_try: int = 0) -> dict[str, Any]:
        """Wait until the task is in one of the states (in a later try than *after_try*), and return it.

        :raises AssertionError: if it has ended in another state, or never gets there.
        """
        key = (self.run_id, task or self.flow.task)

        def look() -> dict[str, Any] | None:
            seen = self.watch.tasks.get(key)
            if not seen or seen["try_number"] <= after_try:
                return None
            if seen["state"] in states:
                return seen
            assert seen["state"] not in ENDED, f"{key[1]} of {self.case} ended: {seen}"
            return None

        return self.watch.until(look, f"{key[1]} of {self.case} to be {' or '.join(states)}")

    def is_waiting(self) -> bool:
        """Whether the task has done what it had to do, and waits for it to show."""
        return any(
            entry["status"] == "InQueue" or (entry["requested"] and not entry["over"])
            for entry in self.sandbox.deployments(self.project_id)
        )

    def until_run(self, state: str) -> None:
        """Wait until Airflow has drawn the conclusion for the whole run."""
        self.watch.until(lambda: self.watch.runs.get(self.run_id) == state, f"{self.case} to be {state}")

    # --- what is done to it --------------------------------------------------------------------------

    def let_go(self, index: int = 0) -> None:
        """Take the case's fault out of force: a request that it holds is broken off."""
        self.sandbox.clear_faults(self.faults[index])

    def kill(self, victim: str) -> None:
        """SIGKILL the ``task`` process with its group, the ``worker`` that supervises it with it, or both."""
        pid = self._running_task()["pid"]
        process = self.airflow.task_process(pid)
        worker = process.parent()
        if victim in ("worker", "supervisor"):
            assert worker is not None
            worker.kill()
        if victim in ("worker", "task"):
            os.killpg(pid, signal.SIGKILL)
            with suppress(psutil.NoSuchProcess):
                process.wait(30)
        self.acts[f"{victim} killed"] += 1

    def clear(self) -> None:
        """Clear the task, as a person does in the UI."""
        body = {
            "dry_run": False,
            "dag_run_id": self.run_id,
            "task_ids": [self.flow.task],
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self.airflow.api.change("POST", f"/dags/{self.dag_id}/clearTaskInstances", body)
        self.acts["task cleared"] += 1

    def mark(self, state: str) -> None:
        """Mark the task, as a person does in the UI."""
        path = f"/dags/{self.dag_id}/dagRuns/{self.run_id}/taskInstances/{self.flow.task}"
        self.airflow.api.change("PATCH", path, {"new_state": state})
        self.acts[f"task marked {state}"] += 1

    def get_going(self) -> None:
        """Let everything that is slow in this project happen now."""
        ends = {"stop": "Stopped", "liquidate": "Liquidated"}
        for entry in self.sandbox.deployments(self.project_id):
            if entry["requested"] and not entry["over"]:
                self.sandbox.set_status(entry["deploy_id"], ends[entry["requested"][-1]])
            elif entry["status"] == "InQueue":
                self.sandbox.set_status(entry["deploy_id"], "Running")

    def _is_over(self) -> bool:
        mine = [task for (run_id, _), task in self.watch.tasks.items() if run_id == self.run_id]
        ended = all(task["state"] in ENDED for task in mine)
        return bool(mine) and ended and self.watch.runs.get(self.run_id) in ENDED

    def _running_task(self) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            mine = [task for (run_id, _), task in self.watch.tasks.items() if run_id == self.run_id]
            return next((task for task in mine if task["state"] == "running" and task["pid"]), None)

        return self.watch.until(look, f"a running task of {self.case}")

    def _result(self) -> dict[str, Any] | None:
        path = f"/dags/{self.dag_id}/dagRuns/{self.run_id}/taskInstances/{self.flow.task}"
        try:
            mapped = "?map_index=0" if self.flow.dag == "quantconnect_wind_down" else ""
            found = self.airflow.api.get(f"{path}/xcomEntries/return_value{mapped}")["value"]
        except requests.HTTPError:
            return None
        return dict(found)

    def _conf(self) -> dict[str, Any]:
        if self.flow.dag == "quantconnect_wind_down":
            return {"project_ids": [self.project_id], "action": self.flow.requested, "approval": "never"}
        conf = {"project_id": self.project_id, "node_id": self._node, "if_running": self.flow.if_running}
        if self.flow.shipped:
            return conf
        conn_id = "quantconnect_patient" if self.case.patient else "quantconnect_default"
        return {
            **conf,
            "conn_id": conn_id,
            "compile_id": self._build() if self.flow.dag == "deploy" else "",
        }

    def _ids(self) -> list[str]:
        return [entry["deploy_id"] for entry in self.sandbox.deployments(self.project_id)]

    def _build(self) -> str:
        with QuantConnectClient(
            self.sandbox.user_id, self.sandbox.api_token, self.sandbox.base_url
        ) as client:
            build = client.create_compile(self.project_id)
            while client.read_compile(self.project_id, build.compile_id).state == "InQueue":
                pass
        return build.compile_id
