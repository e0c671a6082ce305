"""How many deployments one intent makes when the answer to live/create is lost: the stock pattern and ours.

The stock pattern is what Airflow offers for this: an operator with ``ResumableJobMixin`` over one plain POST,
tried again by Airflow's ordinary retries. Ours is `QuantConnectCreateLiveOperator` with the retry policy that
it comes with. Both run against the sandbox, set to take a second deployment of a project as readily as the
first (what the real API does is not documented). Each attempt is a process of its own, so that it can be
killed; what the task state store holds outlives it, as in Airflow.

Prints deployments made for each fault; the last line says how many times as many the stock pattern makes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import requests

from quantconnect_provider.sandbox import RemoteSandbox, SandboxProcess

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

INTENTS = 4
NODES = 200
RETRIES = 3
TIMEOUT_SECONDS = 3.0
CERTAINTY_SECONDS = 3
MOST_SECONDS = 120.0
STARTING = ("InQueue", "LoggingIn", "Initializing", "History")


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong after live/create took effect.

    :param fields: what the sandbox does; nothing for an answer that arrives.
    :param kills: whether the process is killed before it gets an answer.
    """

    name: str
    fields: dict[str, Any]
    kills: bool = False


FAULTS = [
    Fault("nothing goes wrong", {}),
    Fault("connection dropped", {"drop": True}),
    Fault("HTTP 500", {"status": 500}),
    Fault("no answer in time", {"hang": True}),
    Fault("answer cut off", {"truncate": True}),
    Fault("worker killed", {"hang": True}, kills=True),
    Fault("three answers lost in a row", {"drop": True, "times": 3}),
]


class StoreFile:
    """The task state store of one task: what was set stays when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: str) -> Any:
        """Return what was set, or None."""
        return json.loads(self._path.read_text()).get(key) if self._path.exists() else None

    def set(self, key: str, value: Any, retention: Any = None) -> None:
        """Keep a JSON value."""
        held = json.loads(self._path.read_text()) if self._path.exists() else {}
        aside = self._path.with_suffix(".new")
        aside.write_text(json.dumps({**held, key: value}))
        aside.replace(self._path)


def stock_operator(sandbox: RemoteSandbox, project_id: int, compile_id: str) -> BaseOperator:
    """Return the stock pattern: submit by one POST, keep the id, poll."""
    from airflow.sdk import BaseOperator, ResumableJobMixin  # noqa: PLC0415

    class StockDeployOperator(ResumableJobMixin, BaseOperator):
        """Deploys as the mixin's documentation says."""

        def execute(self, context: Any) -> Any:
            return self.execute_resumable(context)

        def submit_job(self, context: Any) -> Any:
            nodes = post(sandbox, "projects/nodes/read", projectId=project_id)["nodes"]["live"]
            created = post(
                sandbox,
                "live/create",
                projectId=project_id,
                compileId=compile_id,
                nodeId=random.choice(
                    [node["id"] for node in nodes if node["name"] == "any" and not node["busy"]]
                ),
                versionId="-1",
                brokerage={"id": "QuantConnectBrokerage"},
            )
            return created["deployId"]

        def get_job_status(self, external_id: Any, context: Any) -> str:
            return str(post(sandbox, "live/read", projectId=project_id, deployId=external_id)["status"])

        def is_job_active(self, status: str) -> bool:
            return status in (*STARTING, "Running")

        def is_job_succeeded(self, status: str) -> bool:
            return status == "Running"

        def poll_until_complete(self, external_id: Any, context: Any) -> Any:
            while self.get_job_status(external_id, context) != "Running":
                time.sleep(0.2)
            return external_id

        def get_job_result(self, external_id: Any, context: Any) -> Any:
            return external_id

    return StockDeployOperator(task_id="deploy")


def our_operator(sandbox: RemoteSandbox, project_id: int, compile_id: str) -> BaseOperator:
    """Return the shipped operator, as a DAG would have it."""
    from quantconnect_provider.operators.live import QuantConnectCreateLiveOperator  # noqa: PLC0415

    return QuantConnectCreateLiveOperator(
        task_id="deploy",
        project_id=project_id,
        compile_id=compile_id,
        live_node_id=f"own {project_id % NODES}",  # all intents at once would choose the same free one
        poll_interval_seconds=0.2,
    )


PATTERNS: dict[str, Callable[[RemoteSandbox, int, str], Any]] = {
    "stock": stock_operator,
    "ours": our_operator,
}


def post(sandbox: RemoteSandbox, endpoint: str, **fields: Any) -> dict[str, Any]:
    """Send one signed request, as most code does: an error status or a refusal raises."""
    stamp = str(int(time.time()))
    signature = hashlib.sha256(f"{sandbox.api_token}:{stamp}".encode()).hexdigest()
    answer = requests.post(
        f"{sandbox.base_url}/{endpoint}",
        json=fields,
        headers={"Timestamp": stamp},
        auth=(str(sandbox.user_id), signature),
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    if not content["success"]:
        raise RuntimeError(f"{endpoint}: {content['errors']}")
    return content


def build(sandbox: RemoteSandbox, project_id: int) -> str:
    """Compile a project and return the build's id."""
    compile_id = str(post(sandbox, "compile/create", projectId=project_id)["compileId"])
    while post(sandbox, "compile/read", projectId=project_id, compileId=compile_id)["state"] == "InQueue":
        pass
    return compile_id


def attempt(operator: Any, store: Path) -> None:
    """Run one attempt of a task, in a process of its own; its exit status says how it went.

    0: it succeeded. 1: it failed and would be tried again. 2: it failed for good.
    """
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    from airflow.sdk import RetryAction  # noqa: PLC0415
    from airflow.sdk.exceptions import AirflowFailException  # noqa: PLC0415

    ti = SimpleNamespace(stats_tags={}, try_number=1)
    try:
        operator.execute({"task_state_store": StoreFile(store), "ti": ti})
    except AirflowFailException:
        os._exit(2)
    except Exception as error:  # noqa: BLE001 - whatever the task raised
        policy = operator.retry_policy
        decision = policy.evaluate(error, 1, RETRIES) if policy else None
        os._exit(2 if decision is not None and decision.action is RetryAction.FAIL else 1)
    os._exit(0)


def intend(pattern: str, fault: Fault, *, port: int, project_id: int, compile_id: str, folder: Path) -> None:
    """Go through one intent to deploy, with all its retries."""
    store = folder / f"{project_id}.json"
    sandbox = RemoteSandbox(port)
    operator = PATTERNS[pattern](sandbox, project_id, compile_id)
    number = None
    if fault.fields:
        number = sandbox.add_fault("live/create", project_id=project_id, when="after", **fault.fields)
    for _ in range(1 + RETRIES):
        process = multiprocessing.get_context("fork").Process(target=attempt, args=(operator, store))
        process.start()
        if fault.kills and number is not None:
            while process.is_alive() and not _struck(sandbox, number):
                process.join(0.05)
            process.kill()
            if _struck(sandbox, number):
                sandbox.clear_faults(number)
                number = None
        process.join()
        if process.exitcode in (0, 2):
            return


def _struck(sandbox: RemoteSandbox, number: int) -> bool:
    return any(fault["fault_id"] == number and fault["applied"] for fault in sandbox.faults())


def made_after(fault: Fault, sandbox: SandboxProcess, folder: Path) -> dict[str, list[int]]:
    """Go through all intents of both patterns at once; the deployments that each made, by pattern."""
    fork = multiprocessing.get_context("fork")
    projects: dict[str, list[int]] = {pattern: [] for pattern in PATTERNS}
    processes = []
    for pattern, ids in projects.items():
        for number in range(INTENTS):
            project_id = sandbox.add_project(f"{pattern} {fault.name} {number}")
            ids.append(project_id)
            arguments = {
                "port": sandbox.port,
                "project_id": project_id,
                "compile_id": build(sandbox, project_id),
                "folder": folder,
            }
            processes.append(fork.Process(target=intend, args=(pattern, fault), kwargs=arguments))
    for process in processes:
        process.start()
    until = time.monotonic() + MOST_SECONDS
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
        if process.exitcode != 0:
            for other in processes:
                other.kill()
            sys.exit(f"{fault.name}: an intent did not come to an end in {MOST_SECONDS:.0f} s")
    return {name: [len(sandbox.deployments(project)) for project in ids] for name, ids in projects.items()}


def prepare_airflow(home: str, sandbox: SandboxProcess) -> None:
    """Settle everything that Airflow reads when it is imported."""
    os.environ.update(
        {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__PLUGINS_FOLDER": home,
            "AIRFLOW__QUANTCONNECT__CERTAINTY_SECONDS": str(CERTAINTY_SECONDS),
            "AIRFLOW_CONN_QUANTCONNECT_DEFAULT": sandbox.airflow_connection(timeout_seconds=TIMEOUT_SECONDS),
        }
    )
    import airflow.sdk  # noqa: F401, PLC0415 - once here instead of in every child

    import quantconnect_provider.live.deploy.create  # noqa: PLC0415
    import quantconnect_provider.operators.live  # noqa: F401, PLC0415

    logging.disable(logging.CRITICAL)


def main() -> None:
    """Run both patterns; exits with 1 unless ours made exactly one deployment for every intent."""
    scenario = {
        "nodes": {"live": [{"name": name} for number in range(NODES) for name in ("any", f"own {number}")]},
        "api": {"create_while_running": "second"},
    }
    print(f"Deployments made by {INTENTS} intents, {RETRIES} retries each:\n")
    print(f"{'after live/create took effect':32}{'stock':>8}{'ours':>8}")
    made: dict[str, list[int]] = {pattern: [] for pattern in PATTERNS}
    with SandboxProcess(scenario) as sandbox, tempfile.TemporaryDirectory() as folder:
        prepare_airflow(folder, sandbox)
        for fault in FAULTS:
            counts = made_after(fault, sandbox, Path(folder))
            print(f"{fault.name:32}{sum(counts['stock']):8}{sum(counts['ours']):8}", flush=True)
            for pattern, numbers in counts.items():
                made[pattern] += numbers
    stock, ours = statistics.mean(made["stock"]), statistics.mean(made["ours"])
    times = f"{stock / ours:.2f} times as many" if ours else "none"
    print(f"\nDeployments for each intent: {stock:.2f} stock, {ours:.2f} ours: {times}")
    sys.exit(0 if set(made["ours"]) == {1} else 1)


if __name__ == "__main__":
    main()
