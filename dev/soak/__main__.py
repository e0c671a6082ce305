"""`make soak`: a whole Airflow runs the shipped DAGs against the sandbox, a simulated day a minute.

    python -m dev.soak [MINUTES]           # or SOAK_MINUTES; 30 by default

Each day algorithms die, lose and are stopped; the watch goes round, policies redeploy and liquidate; 5 % of
all requests meet a fault. Then the clock stands still for the night's harvest, and the store is compared with
the sandbox's truth. The exit status is 0 only if nothing was lost, doubled or orphaned, and nothing grew.
SOAK_STORE=sqlite keeps the store in SQLite instead of PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psutil
from sqlalchemy.engine import URL, make_url

from dev.airflow_processes import AirflowProcesses
from dev.console import fail, say, step
from dev.distributed.servers import Postgres, program, running_postgres
from dev.settings import CONNECTION_VARIABLE, HOME
from dev.soak.clock import VARIABLE, SharedClock
from dev.soak.day import Days
from dev.soak.measures import Sample, as_table, growing, measure_processes, measure_store
from dev.soak.runs import DAGS, DEPLOY, HARVEST, WATCH, Runs
from dev.soak.scenario import LOCAL_SETTINGS, SETTINGS, SPEED, scenario
from dev.soak.truth import Truth
from dev.venv import ROOT
from quantconnect_provider.sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from pathlib import Path

SOAK_HOME = HOME / "soak"
DATABASE_SETTINGS = ("fsync=off", "synchronous_commit=off")


class Soak:
    """Everything that runs, and what was found day by day; a context manager."""

    def __init__(self, home: Path, *, sqlite: bool) -> None:
        self._home = home
        self._sqlite = sqlite
        self._servers = ExitStack()
        self.samples: list[Sample] = []
        self.problems: list[str] = []

    def __enter__(self) -> Soak:
        with ExitStack() as started:
            self.sandbox = started.enter_context(SandboxProcess(scenario()))
            postgres = started.enter_context(running_postgres(*DATABASE_SETTINGS))
            postgres.create_database("airflow")
            self._home.mkdir(parents=True)
            clock = SharedClock(self.sandbox, self._home / "clock.json")
            self.store = self._make_store(postgres)
            self.airflow = AirflowProcesses(
                self._home / "airflow",
                postgres.url("airflow", "+psycopg2"),
                {"shipped": ROOT / "dags"},
                {
                    **SETTINGS,
                    CONNECTION_VARIABLE: self.sandbox.airflow_connection(
                        timeout_seconds=5, requests_per_minute=6000
                    ),
                    "AIRFLOW_CONN_QUANTCONNECT_STORE": _as_connection(self.store),
                    VARIABLE: str(clock.path),
                    "PYTHONPATH": str(ROOT),  # for LOCAL_SETTINGS
                },
                LOCAL_SETTINGS,
            )
            started.callback(self.airflow.stop)
            self.airflow.start(*DAGS)
            self.runs = Runs(self.airflow.api)
            self.days = Days(self.sandbox, clock, self.runs)
            self.truth = Truth(self.sandbox, self.store, self.days.happened)
            started.callback(self.truth.close)
            self._servers = started.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._servers.close()

    def pass_day(self, day: int) -> None:
        """Live through a day, harvest, compare, measure, and print a line."""
        began = time.monotonic()
        self.days.live_through(day)
        self.runs.trigger(HARVEST)
        self.runs.until_over()
        found = self.truth.differences()
        found += [f"failed: {name}" for name in self.runs.failed()]
        found += self._deployed_otherwise()
        new = [problem for problem in found if problem not in self.problems]
        self.problems += new
        self.samples.append(self._measure())
        self._print(day, time.monotonic() - began, len(new))
        for problem in new:
            say(f"  {problem}")

    def _deployed_otherwise(self) -> list[str]:
        """Each run of the deploy DAG makes one deployment, whatever happens to its requests."""
        made, asked = self.truth.counts["deploys"], self.runs.count(DEPLOY)
        return [] if made == asked else [f"{asked} runs of {DEPLOY} made {made} deployments"]

    def _measure(self) -> Sample:
        sandbox = psutil.Process(self.sandbox.pid)
        processes = {**self.airflow.sessions(), "sandbox": [sandbox]}
        return {**measure_processes(processes), **measure_store(self.store)}

    def _print(self, day: int, seconds: float, differences: int) -> None:
        counts, happened = self.truth.counts, self.days.happened
        numbers = {
            "day": day,
            "took": f"{seconds:.0f} s",
            "watches": self.runs.count(WATCH),
            "harvests": self.runs.count(HARVEST),
            "deploys": counts["deploys"],
            "deaths": len(happened.died),
            "redeploys": counts["redeploy"],
            "ended": counts["liquidate"] + len(happened.stopped),
            "insights": counts["insights"],
            "orders": counts["orders"],
            "requests": self.sandbox.counters()["requests"],
            "faults": self.faults(),
            "differences": differences,
        }
        if day == 1:
            say("Everything but took and differences is counted from the first day on.")
            say("  ".join(numbers))
        say("  ".join(f"{number!s:>{len(name)}}" for name, number in numbers.items()))

    def faults(self) -> int:
        """Count the requests that a fault struck."""
        return sum(fault["applied"] for fault in self.sandbox.faults())

    def _make_store(self, postgres: Postgres) -> URL:
        if self._sqlite:
            return URL.create("sqlite", database=str(self._home / "store.db"))
        postgres.create_database("store")
        return make_url(postgres.url("store", "+psycopg"))


def _as_connection(store: URL) -> str:
    """Return the store as the value of an Airflow connection's variable."""
    if store.drivername == "sqlite":
        return f"sqlite:///{store.database}"
    return store.set(drivername="postgresql").render_as_string(hide_password=False)


def conclude(soak: Soak, days: int, minutes: float) -> int:
    """Print what stayed flat and what was found; the exit status."""
    say("\nThe highest of each third of the days, measured while nothing ran:\n")
    say(as_table(soak.samples))
    grew = [f"{what} ({unit})" for what, unit in growing(soak.samples)]
    counts = soak.truth.counts
    say(
        f"\nsoak: {days} days in {minutes:.0f} minutes, {soak.faults():,} faults in "
        f"{soak.sandbox.counters()['requests']:,} requests, {counts['insights']:,} insights, "
        f"{counts['orders']:,} orders, {counts['fills']:,} fills, {counts['trades']:,} trades, "
        f"{counts['deployments']} deployments, {counts['events']} events: "
        f"{len(soak.problems)} differences, {', '.join(grew) or 'nothing'} grew"
    )
    if soak.problems or grew:
        say(f"The logs are in {SOAK_HOME / 'airflow'}")
    return 1 if soak.problems or grew else 0


def main() -> int:
    """Run for so many minutes, to the end of the day that began last."""
    minutes = float(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SOAK_MINUTES") or 30)
    kind = os.environ.get("SOAK_STORE") or "postgres"
    if kind not in ("postgres", "sqlite"):
        fail(f"SOAK_STORE is {kind}: it can be postgres or sqlite")
    for name in ("initdb", "postgres", "pg_isready"):
        program(name)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that Airflow ends with this program
    shutil.rmtree(SOAK_HOME, ignore_errors=True)
    with ExitStack() as stack:
        with step(f"Starting Airflow, the sandbox and the store ({kind})"):
            soak = stack.enter_context(Soak(SOAK_HOME, sqlite=kind == "sqlite"))
        say(f"{minutes:g} minutes, the sandbox's clock at {SPEED:,.0f} times speed while it runs")
        began, day = time.monotonic(), 0
        soak.days.begin()
        while day == 0 or time.monotonic() - began < minutes * 60:
            day += 1
            soak.pass_day(day)
        return conclude(soak, day, (time.monotonic() - began) / 60)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        fail("interrupted; everything that was started has ended")
