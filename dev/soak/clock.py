"""The sandbox's time, as every process of Airflow reads it from a small file.

The provider dates what it stores, and decides what to read again, by `client.times.utc_now`. In a soak that
has to be the time of the sandbox, where a day takes a minute. How long the provider waits stays real time.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pendulum

from quantconnect_provider.client import times

if TYPE_CHECKING:
    from quantconnect_provider.sandbox.process import RemoteSandbox

VARIABLE = "QUANTCONNECT_SOAK_CLOCK"
"""The environment variable that names the file."""


class SharedClock:
    """Sets the sandbox's clock, and writes the file that says how it goes."""

    def __init__(self, sandbox: RemoteSandbox, path: Path) -> None:
        self._sandbox = sandbox
        self.path = path
        self.set_speed(0.0)

    def set_speed(self, speed: float) -> None:
        """Let so many sandbox seconds pass in each second; 0 stops the clock."""
        self._sandbox.set_speed(speed)
        moment = {"at": self._sandbox.now(), "monotonic": time.monotonic(), "speed": speed}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(moment), encoding="utf-8")
        fresh.replace(self.path)


def read_clock(path: Path) -> float:
    """Return the sandbox's time, in unix seconds; `time.monotonic` is one clock for all processes."""
    moment = json.loads(path.read_text(encoding="utf-8"))
    passed = time.monotonic() - moment["monotonic"]
    return float(moment["at"] + passed * moment["speed"])


def use_sandbox_time() -> None:
    """Give the provider in this process the sandbox's time, wherever `utc_now` was imported already."""
    path = Path(os.environ[VARIABLE])
    sandbox_pendulum = SimpleNamespace(**vars(pendulum))
    sandbox_pendulum.now = lambda timezone: pendulum.from_timestamp(read_clock(path), tz=timezone)
    vars(times)["pendulum"] = sandbox_pendulum
