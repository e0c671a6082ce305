"""Background processes with a record on disk: started in own sessions, found again, ended to the last one.

A record names the first process of a session by id and start time, so that a reused id is never taken for
ours. Everything a service starts stays in its session: Airflow gives each task a process group, no session.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# How long each signal may take before the next one; the last cannot be refused.
GRACE_SECONDS = ((signal.SIGINT, 20.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
ENDED = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
# The services that this process started. They are meant to outlive it; Popen would complain when forgotten.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Record:
    """One started service: its name, its process id (also the session's) and that process's start time."""

    name: str
    pid: int
    started_at: float


def start(
    name: str, command: Sequence[str | Path], log: Path, records: Path, environment: Mapping[str, str]
) -> Record:
    """Start a command in a new session, its output appended to `log`, and write its record."""
    log.parent.mkdir(parents=True, exist_ok=True)
    records.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            start_new_session=True,
        )
    _started.append(process)
    record = Record(name, process.pid, psutil.Process(process.pid).create_time())
    (records / f"{name}.json").write_text(json.dumps(asdict(record)), encoding="utf-8")
    return record


def read(records: Path) -> list[Record]:
    """Read all records of a folder, in the order of their names; unreadable ones are left out."""
    found = []
    for path in sorted(records.glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            found.append(Record(**json.loads(path.read_text(encoding="utf-8"))))
    return found


def is_running(record: Record) -> bool:
    """Whether the recorded process itself is alive."""
    try:
        process = psutil.Process(record.pid)
        return process.create_time() == record.started_at and process.status() not in ENDED
    except psutil.NoSuchProcess:
        return False


def members(record: Record) -> list[psutil.Process]:
    """Find every living process of the record's session, also when the first one is gone.

    Linux gives out no process id that still names a session with processes in it. So a session whose first
    process is gone is still ours, and one whose first process has another start time is not.
    """
    with suppress(psutil.NoSuchProcess):
        if psutil.Process(record.pid).create_time() != record.started_at:
            return []
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getsid(process.pid) == record.pid and process.status() not in ENDED:
                found.append(process)
    return found


def all_members(records: Sequence[Record]) -> list[psutil.Process]:
    """Find every living process of all the sessions."""
    return [process for record in records for process in members(record)]


def stop(records: Sequence[Record]) -> list[psutil.Process]:
    """End all sessions: interrupt, then terminate, then kill what is left. Returns what outlived that."""
    for number, seconds in GRACE_SECONDS:
        for process in all_members(records):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        if wait_until(lambda: not all_members(records), seconds):
            break
    _started[:] = [process for process in _started if process.poll() is None]
    return all_members(records)


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.1) -> bool:
    """Look at a condition until it is true or the time is over; its last answer."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def listening_addresses(records: Sequence[Record]) -> set[tuple[str, int]]:
    """List the (address, port) pairs that the sessions' processes listen on."""
    found = set()
    for process in all_members(records):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            for connection in process.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    found.add((connection.laddr.ip, connection.laddr.port))
    return found
