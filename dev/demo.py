"""`make demo`: deploy, harvest, watch, score and wind down, through real Airflow against the local sandbox.

Everything lies in a home of its own, .airflow/demo: a user's connections and settings play no part. This
program prepares that home and the sandbox; `dev.demo_run` runs the steps, in a process of its own.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from dev.console import fail, say
from dev.demo_watch import POLICY, STALE_SECONDS
from dev.settings import CONNECTION_VARIABLE, HOME, PYTHON, common_environment, home_must_be_writable
from dev.venv import ROOT, child_environment
from quantconnect_provider.sandbox.process import SandboxProcess
from quantconnect_provider.sandbox.scenario import load_scenario

if TYPE_CHECKING:
    from pathlib import Path

    from quantconnect_provider.sandbox.scenario_spec import Scenario

DEMO_HOME = HOME / "demo"
STORE, AIRFLOW_LOG = "quantconnect.db", "airflow.log"


def demo_environment(connection: str) -> dict[str, str]:
    """Return the demo's environment with this connection; nothing that a user set for Airflow gets in."""
    own = {name: value for name, value in child_environment().items() if not name.startswith("AIRFLOW")}
    return {
        **common_environment(DEMO_HOME, own),
        CONNECTION_VARIABLE: connection,
        "AIRFLOW__QUANTCONNECT__POLL_INTERVAL_SECONDS": "0.2",  # each status lasts less than a second there
        "AIRFLOW__QUANTCONNECT__ORDERS_LOADING_SECONDS": "1",  # the sandbox has them at once
        "AIRFLOW__QUANTCONNECT__POLICIES": json.dumps([POLICY]),
        "AIRFLOW__QUANTCONNECT__STALE_MINUTES": str(STALE_SECONDS / 60),
        "AIRFLOW__QUANTCONNECT__MARKET_CALENDAR": "24/7",  # the demo runs at weekends, too
    }


def scenario() -> Scenario:
    """Return the sandbox's default scenario, with algorithms so busy that only a silent one is stale."""
    found = load_scenario(None)
    for project in found.projects:
        project.deploy.log_every_seconds = 1
        project.insights.growth.every_seconds = 0.5
    return found


def start_empty() -> None:
    """Forget the last demo's data, so that what is printed is of this one. Airflow's database stays."""
    DEMO_HOME.mkdir(parents=True, exist_ok=True)
    for path in [DEMO_HOME / AIRFLOW_LOG, *DEMO_HOME.glob(f"{STORE}*")]:
        path.unlink(missing_ok=True)


def run_steps(port: int, connection: str) -> int:
    """Run the steps in a process of their own; returns its exit status. An interrupt here ends them."""
    steps: list[str | Path] = [PYTHON, "-W", "ignore", "-m", "dev.demo_run", str(port), DEMO_HOME]
    # The terminal interrupts every process; the steps leave that to this one, which prints no stack of calls.
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = subprocess.Popen(steps, cwd=ROOT, env=demo_environment(connection), stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGINT, interrupt)
    try:
        return process.wait()
    finally:
        process.terminate()
        process.wait()


def start_uninterrupted(sandbox: SandboxProcess) -> None:
    """Start the sandbox where no interrupt reaches it: the steps would fail before they are ended."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a child has what its parent blocks
    try:
        sandbox.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def run() -> int:
    """Run the demo; returns the exit status of the steps."""
    start_empty()
    sandbox = SandboxProcess(scenario())
    try:
        start_uninterrupted(sandbox)
        say(f"The sandbox, a local QuantConnect, runs at {sandbox.base_url}")
        say(f"All that Airflow says goes to {DEMO_HOME / AIRFLOW_LOG}")
        return run_steps(sandbox.port, sandbox.airflow_connection())
    finally:
        sandbox.stop()


def main() -> None:
    """Run the demo; its exit status is that of the steps."""
    home_must_be_writable("demo")
    try:
        status = run()
    except KeyboardInterrupt:
        fail("interrupted; make demo begins anew")
    sys.exit(status)


if __name__ == "__main__":
    main()
