from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import requests

from quantconnect_provider.sandbox import Sandbox, SandboxProcess
from tests.sandbox.conftest import Api

COMMAND = [sys.executable, "-m", "quantconnect_provider.sandbox"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number):
    process = subprocess.Popen(
        [*COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert "http://127.0.0.1:" in line
    assert errors == ""
    assert process.returncode == 0


def test_a_port_that_is_taken_is_said_in_one_line():
    with Sandbox() as sandbox:
        done = subprocess.run(
            [*COMMAND, "--port", str(sandbox.port)], check=False, capture_output=True, text=True, timeout=30
        )
    assert done.returncode == 2
    assert done.stderr == f"sandbox: cannot listen on 127.0.0.1:{sandbox.port}: Address already in use\n"


def test_a_bad_scenario_is_said_in_one_line(tmp_path):
    (tmp_path / "bad.yaml").write_text("projekts: []")
    done = subprocess.run(
        [*COMMAND, "--scenario", str(tmp_path / "bad.yaml")],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "unknown field `projekts`" in done.stderr


def test_a_process_has_the_same_verbs():
    with SandboxProcess({"projects": [{"name": "Alpha", "id": 7}]}) as sandbox:
        deploy_id = sandbox.deploy(7)
        assert Api(sandbox)("live/read", projectId=7)["deployId"] == deploy_id


def test_a_process_is_gone_when_it_was_stopped():
    with SandboxProcess() as sandbox:
        pid = sandbox.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_seed_and_credentials_reach_the_process():
    with SandboxProcess(user_id=42, api_token="other", seed=3) as there:
        with Sandbox(user_id=42, api_token="other", seed=3) as here:
            assert there.deployments()[0]["deploy_id"] == here.deployments()[0]["deploy_id"]
        assert Api(there)("authenticate")["success"] is True


def test_only_the_loopback_interface_is_served():
    with Sandbox() as sandbox, pytest.raises(OSError, match=r".*"):
        socket.create_connection(("127.0.0.2", sandbox.port), timeout=1)


def test_the_address_makes_an_airflow_connection():
    with Sandbox() as sandbox:
        connection = json.loads(sandbox.airflow_connection(requests_per_minute=30))
    assert connection["host"] == sandbox.base_url
    assert (connection["login"], connection["extra"]) == ("1", {"requests_per_minute": 30})


USERS_TEST = """
import json, os, urllib.request, pytest

pytest_plugins = ["quantconnect_provider.sandbox.pytest_plugin"]

@pytest.fixture
def quantconnect_scenario():
    return {"projects": [{"name": "Mine"}]}

def test_it(quantconnect_sandbox):
    connection = json.loads(os.environ["AIRFLOW_CONN_QUANTCONNECT_DEFAULT"])
    urllib.request.urlopen(connection["host"] + "/authenticate").read()
    assert [p["name"] for p in quantconnect_sandbox.projects()] == ["Mine"]
    assert quantconnect_sandbox.counters()["requests"] == 1
"""


def test_the_fixture_leads_airflows_connection_to_a_sandbox(tmp_path):
    (tmp_path / "test_mine.py").write_text(USERS_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_requests_in_flight_are_broken_off_when_it_stops():
    sandbox = Sandbox({"api": {"latency_seconds": 60}}).start()
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.base_url}/authenticate", timeout=0.1)
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{sandbox.base_url}/authenticate", timeout=1)


def test_another_address_than_the_usual_is_warned_of():
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--host", "localhost"],  # on loopback everywhere, and not the default
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.terminate()
    _, errors = process.communicate(timeout=10)
    assert "http://127.0.0.1:" in line
    assert errors == "sandbox: other machines can reach this; its credentials are known to everybody\n"


def test_a_process_that_was_not_started_has_no_id():
    sandbox = SandboxProcess()
    sandbox.stop()
    with pytest.raises(RuntimeError, match="the sandbox is not running"):
        sandbox.pid  # noqa: B018 - asking for it is the test


def test_a_process_that_cannot_serve_is_told_to_its_starter():
    with Sandbox() as other, pytest.raises(RuntimeError, match="the sandbox did not start"):
        SandboxProcess(port=other.port).start()
