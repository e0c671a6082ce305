"""`make up` and `make demo` where something is in the way: ports, permissions, an interrupted run."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from dev.ports import LOOPBACK, free_port
from dev.processes import wait_until
from dev.venv import ROOT
from tests.environment.processes import as_a_user, python


def variables(home: Path, port: int | None = None) -> dict[str, str]:
    return {"AIRFLOW_HOME": str(home), "AIRFLOW__API__PORT": str(port or free_port())}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A second checkout on this machine, with the environment of this one."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("dev", "dags", "plugins", "pyproject.toml", "requirements"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
            )
        else:
            shutil.copy(source, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.mark.parametrize("place", ["home", "inside"])
def test_up_without_permission_to_write_its_home(tmp_path: Path, place: str) -> None:
    home = tmp_path / "airflow"
    home.mkdir()
    home.chmod(0o555)
    done = python(
        "-m", "dev.up", variables=variables(home if place == "home" else home / "new"), obeys_modes=True
    )
    home.chmod(0o755)
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert f"{home}" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_without_permission_to_write_its_home(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    done = python("-m", "dev.demo", variables={"AIRFLOW_HOME": str(tmp_path / "new")}, obeys_modes=True)
    tmp_path.chmod(0o755)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr
    assert str(tmp_path) in done.stderr


def test_the_second_checkout_says_that_the_port_is_taken(checkout: Path, tmp_path: Path) -> None:
    with closing(socket.socket()) as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "dev.up"],
            cwd=checkout,
            env={**os.environ, **variables(tmp_path / "home", port)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"port {port} is taken by another program" in done.stderr
    assert "AIRFLOW__API__PORT=" in done.stderr


class Demo:
    """One `make demo`, in a session of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dev.demo"],
            cwd=ROOT,
            env={**os.environ, "AIRFLOW_HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def interrupt(self, words: str, number: signal.Signals) -> str:
        """Signal all of it as a terminal does, once it prints *words*; returns what it printed."""
        with self.start() as process:
            assert process.stdout is not None
            printed = ""
            while words not in printed:
                character = process.stdout.read(1)
                assert character, printed
                printed += character
            os.killpg(process.pid, number)
            printed += process.stdout.read()
            process.wait(60)
        assert wait_until(lambda: not of_session(process.pid), 30)
        return printed


def of_session(session: int) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


INTERRUPTIONS = [
    ("runs at http", signal.SIGINT),
    ("Preparing Airflow's database", signal.SIGKILL),
    ("Preparing Airflow's database", signal.SIGINT),
    ("Running quantconnect_deploy", signal.SIGKILL),
    ("Running quantconnect_deploy", signal.SIGINT),
    ("Running quantconnect_harvest_insights", signal.SIGKILL),
]


@pytest.mark.environment
def test_a_demo_that_was_interrupted_begins_anew(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "home")
    for moment, number in INTERRUPTIONS:
        printed = demo.interrupt(moment, number)
        assert "Traceback" not in printed, printed[-3000:]
        assert ("interrupted; make demo begins anew" in printed) is (number == signal.SIGINT)
    with demo.start() as process:
        printed = process.communicate(timeout=400)[0]
    assert process.returncode == 0, printed[-3000:]
    assert "All of it worked" in printed


def test_an_environment_where_nothing_can_be_written(checkout: Path) -> None:
    (checkout / ".venv").unlink()
    checkout.chmod(0o555)
    done = subprocess.run(
        [*as_a_user(), sys.executable, "-m", "dev.venv"],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    checkout.chmod(0o755)
    assert done.returncode == 1
    assert f"{checkout} cannot be written to (Permission denied)" in done.stderr
    assert "Traceback" not in done.stderr
