"""Background processes: all of a session end, and nothing else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from dev import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WILLING = """
import time
print("ready", flush=True)
time.sleep(600)
"""
# Deaf to everything but SIGKILL, with a child in a process group of its own, as Airflow's tasks are.
STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"])
else:
    os.setpgid(0, 0)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        processes, "GRACE_SECONDS", ((signal.SIGINT, 0.5), (signal.SIGTERM, 0.5), (signal.SIGKILL, 10.0))
    )


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Path]:
    """A folder for records; whatever a failing test left running is ended."""
    folder = tmp_path / "run"
    yield folder
    processes.stop(processes.read(folder))


def start(records: Path, program: str, processes_ready: int = 1) -> processes.Record:
    """Start a program as a service and wait until all its processes say that they are ready."""
    script, log = records.parent / "service.py", records.parent / "service.log"
    script.write_text(program, encoding="utf-8")
    record = processes.start("service", [sys.executable, script], log, records, os.environ)
    assert processes.wait_until(lambda: log.read_text().count("ready") == processes_ready, 20)
    return record


def test_a_started_service_is_found_again_by_its_record(records: Path) -> None:
    started = start(records, WILLING)

    (found,) = processes.read(records)

    assert found == started
    assert processes.is_running(found)


def test_stop_ends_what_listens_to_nothing_but_kill_and_its_children(records: Path) -> None:
    record = start(records, STUBBORN, processes_ready=2)
    everything = processes.members(record)

    left = processes.stop([record])

    assert (len(everything), left) == (2, [])
    assert not any(process.is_running() and process.status() != "zombie" for process in everything)


def test_stop_ends_children_whose_first_process_is_gone(records: Path) -> None:
    record = start(records, STUBBORN, processes_ready=2)
    psutil.Process(record.pid).kill()
    assert processes.wait_until(lambda: not processes.is_running(record), 10)

    left = processes.stop([record])

    assert left == []
    assert processes.members(record) == []


def test_a_process_with_a_reused_id_is_left_alone(records: Path) -> None:
    record = start(records, WILLING)
    stale = replace(record, started_at=record.started_at - 1000)

    processes.stop([stale])

    assert processes.is_running(record)


def test_other_processes_are_left_alone(records: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WILLING], stdout=subprocess.DEVNULL) as other:
        record = start(records, WILLING)

        processes.stop([record])

        assert other.poll() is None
        other.kill()


def test_a_broken_record_does_not_keep_the_others_from_being_found(records: Path) -> None:
    record = start(records, WILLING)
    (records / "broken.json").write_text("{", encoding="utf-8")

    assert processes.read(records) == [record]


def test_listening_addresses_are_those_of_the_service(records: Path) -> None:
    program = """
import socket, time
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
print("ready", flush=True)
time.sleep(600)
"""
    record = start(records, program)

    ((address, port),) = processes.listening_addresses([record])

    assert (address, port > 0) == ("127.0.0.1", True)
