"""`make up` and `make down`, as a user runs them, on a port and a home of the test's own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from dev import processes
from dev.api import AirflowApi
from dev.ports import LOOPBACK, free_port
from dev.processes import wait_until
from dev.up import COMPONENTS, is_complete
from dev.venv import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAGS = {path.stem for path in (ROOT / "dags").glob("quantconnect_*.py")}
PROJECT_ID = 23456002


class Stack:
    """One Airflow of a test: its home, its port, and the programs behind make that act on it."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self.address = f"http://{LOOPBACK}:{free_port()}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self.environment = {
            **inherited,
            **variables,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__API__PORT": self.address.rsplit(":", 1)[1],
        }

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        """Run the program behind `make up` or `make down`."""
        return subprocess.run(
            [sys.executable, "-m", f"dev.{target}"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def processes(self) -> list[psutil.Process]:
        """Find every process that has this home in its environment."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("AIRFLOW_HOME") == str(self.home):
                    found.append(process)
        return found


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "home")
    yield stack
    stack.make("down")


@pytest.fixture
def stack_with_account(tmp_path: Path) -> Iterator[Stack]:
    account = (
        '{"conn_type": "quantconnect", "login": "1", "password": "x", "host": "http://127.0.0.1:9/api/v2"}'
    )
    stack = Stack(tmp_path / "home", AIRFLOW_CONN_QUANTCONNECT_DEFAULT=account)
    yield stack
    stack.make("down")


def run_to_end(api: AirflowApi, dag_id: str, conf: dict[str, Any]) -> str:
    """Trigger a DAG once the scheduled runs of the first start are over, and return the new run's end state.

    All of Airflow shares one SQLite file here, and answers 500 where two writers meet.
    """
    active = "/api/v2/dags/~/dagRuns?state=running&state=queued"
    assert wait_until(lambda: api.call("GET", active)["total_entries"] == 0, 120, every=1)
    run = api.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run['dag_run_id']}"
    wait_until(lambda: api.call("GET", path)["state"] in ("success", "failed"), 120, every=1)
    return str(api.call("GET", path)["state"])


@pytest.mark.stack
def test_up_shows_everything_runs_a_deployment_and_down_leaves_nothing(stack: Stack) -> None:
    up = stack.make("up")
    assert up.returncode == 0, up.stdout + up.stderr
    assert f"Airflow is up: {stack.address}" in up.stdout
    assert "No login is needed." in up.stdout
    assert f"  {PROJECT_ID}  Volatility Breakout" in up.stdout
    api = AirflowApi(stack.address)

    assert {dag["dag_id"] for dag in api.call("GET", "/api/v2/dags")["dags"]} == DAGS
    assert api.call("GET", "/api/v2/importErrors")["import_errors"] == []
    assert api.call("GET", "/api/v2/plugins/importErrors")["import_errors"] == []
    types = {hook["connection_type"] for hook in api.call("GET", "/ui/connections/hook_meta")}
    assert {"quantconnect", "quantconnect_brokerage"} <= types
    assert api.call("GET", "/api/v2/pools/quantconnect_api")["include_deferred"] is True
    tested = api.call(
        "POST", "/api/v2/connections/test", api.call("GET", "/api/v2/connections/quantconnect_default")
    )
    assert tested["status"] is True, tested["message"]

    assert run_to_end(api, "quantconnect_deploy", {"project_id": PROJECT_ID}) == "success"

    again = stack.make("up")
    assert (again.returncode, again.stdout) == (0, f"Airflow is already up: {stack.address}\n")
    assert stack.processes()

    down = stack.make("down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert stack.processes() == []


@pytest.mark.stack
def test_with_an_account_there_is_a_login_whose_password_is_printed_once(stack_with_account: Stack) -> None:
    stack = stack_with_account
    up = stack.make("up")
    assert up.returncode == 0, up.stdout + up.stderr
    (password,) = re.findall(r"Log in as admin with the password (\S+)", up.stdout)

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{stack.address}/api/v2/dags", timeout=30)
    refused.value.close()
    assert refused.value.code == 401
    dags = AirflowApi(stack.address, "admin", password).call("GET", "/api/v2/dags")["dags"]
    assert {dag["dag_id"] for dag in dags} == DAGS

    assert stack.make("down").returncode == 0
    assert password not in stack.make("up").stdout


def test_a_taken_port_is_named(stack: Stack) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, int(stack.environment["AIRFLOW__API__PORT"])))
        other.listen()

        up = stack.make("up")

    assert up.returncode == 1
    assert f"port {stack.environment['AIRFLOW__API__PORT']} is taken" in up.stderr


@pytest.mark.parametrize(
    ("started", "dead", "complete"),
    [
        ([*COMPONENTS], None, True),
        ([*COMPONENTS, "sandbox"], None, True),
        ([*COMPONENTS, "sandbox"], "sandbox", False),
        ([*COMPONENTS], "triggerer", False),
        (["api-server", "scheduler"], None, False),
        ([], None, False),
    ],
)
def test_up_is_complete_only_with_all_that_was_started(monkeypatch, started, dead, complete) -> None:
    monkeypatch.setattr(processes, "is_running", lambda record: record.name != dead)
    records = [processes.Record(name, 1, 0.0) for name in started]

    assert is_complete(records) is complete


def test_down_without_up_says_so(stack: Stack) -> None:
    down = stack.make("down")

    assert (down.returncode, down.stdout) == (0, "Nothing of ours is running.\n")
