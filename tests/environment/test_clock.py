"""A machine whose clock is wrong and is set right, and one that sits in another time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pendulum
import pytest

from quantconnect_provider.harvest import HarvestOptions, Store, harvest
from quantconnect_provider.sandbox import SandboxProcess
from tests.environment.nights import assert_whole
from tests.environment.processes import python
from tests.harvest.contents import assert_holds
from tests.harvest.fake_api import FakeApi, FakeDeployment

HOURS = [timedelta(hours=hours) for hours in (-1.9, -1, 1, 1.9)]
"""QuantConnect refuses signatures of a clock that is off by two hours."""
HARVEST = """
import sys
from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.harvest import Store, harvest

try:
    with QuantConnectClient(1, "sandbox", sys.argv[1]) as client, Store.open(sys.argv[2]) as store:
        harvest(client, store, client.list_live()).raise_if_failed()
except QuantConnectError as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with Store.open(sqlite_url) as store:
        yield store


def night(api: FakeApi, store: Store, clock_is_off: timedelta = timedelta(0)) -> None:
    """Harvest on a machine whose clock is off; the API's own time goes on as ever."""
    api.machine_clock_is_off = clock_is_off
    report = harvest(
        api,
        store,
        api.list_live(),
        HarvestOptions(),
        clock=lambda: pendulum.instance(api.clock() + clock_is_off),
    )
    report.raise_if_failed()


def go_on(api: FakeApi, deployment: FakeDeployment) -> None:
    """Let insights be scored, and new ones come in."""
    for index in range(len(deployment.insights)):
        api.score(deployment, index, 0.5)
    api.emit(deployment, 150, minutes=10)
    api.now += timedelta(minutes=5)


@pytest.mark.parametrize("then", [timedelta(0), *HOURS], ids=str)
@pytest.mark.parametrize("first", HOURS, ids=str)
def test_a_clock_that_jumps_costs_nothing(
    api: FakeApi, store: Store, first: timedelta, then: timedelta
) -> None:
    api.emit(deployment := api.deploy(), 200, minutes=10)
    night(api, store, first)
    go_on(api, deployment)
    night(api, store, then)
    api.now += timedelta(days=1)
    night(api, store)
    assert_holds(store, deployment)


@pytest.mark.parametrize("off", HOURS, ids=str)
def test_a_wrong_clock_does_not_miss_the_end_of_a_deployment(
    api: FakeApi, store: Store, off: timedelta
) -> None:
    api.emit(deployment := api.deploy(), 200, minutes=10)
    night(api, store, off)
    for index in range(len(deployment.insights)):
        api.score(deployment, index, 0.5)
    last = api.emit(deployment, 30, minutes=1)
    deployment.served = deployment.insights[: -len(last)]  # the API shows the last ones minutes later
    api.stop(deployment)
    night(api, store, off)
    api.snapshot(deployment)
    api.now += timedelta(days=1)
    night(api, store)
    assert_holds(store, deployment)


@pytest.mark.environment
@pytest.mark.parametrize(("offset", "says"), [("-3h", "behind the API's"), ("+3h", "ahead of the API's")])
def test_a_clock_that_the_api_refuses(
    sandbox: SandboxProcess, sqlite_url: str, offset: str, says: str
) -> None:
    done = python("-c", HARVEST, sandbox.base_url, sqlite_url, variables=clock(offset))
    assert done.stdout.startswith("ClockSkewError: live/list was answered with no"), done.stderr
    assert says in done.stdout
    assert "Set this machine's clock (NTP)" in done.stdout


@pytest.mark.environment
@pytest.mark.parametrize("offset", ["-1h", "+1h"])
def test_a_clock_that_the_api_accepts(sandbox: SandboxProcess, sqlite_url: str, offset: str) -> None:
    for variables in (clock(offset), {}):
        done = python("-c", HARVEST, sandbox.base_url, sqlite_url, variables=variables)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    with Store.open(sqlite_url) as store:
        assert_whole(sandbox, store)


def clock(offset: str) -> dict[str, str]:
    """Return the variables for a process whose clock is off, by Debian's package faketime."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    assert libraries, "make environment needs faketime. On Debian or Ubuntu: apt-get install faketime"
    return {"LD_PRELOAD": str(libraries[0]), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


SCHEDULE = """
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import TimeRestriction
import pendulum

dag = DagBag("dags/quantconnect_harvest_insights.py").dags["quantconnect_harvest_insights"]
timetable = coerce_to_core_timetable(dag.timetable)
nights = TimeRestriction(earliest=pendulum.datetime(2026, 1, 1), latest=None, catchup=True)
last = None
for _ in range(365):
    run = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=nights)
    last = run.data_interval
    print("RUN", run.run_after.in_timezone("America/New_York").format("YYYY-MM-DD HH:mm"))
"""


@pytest.mark.parametrize("zone", ["Europe/London", "Pacific/Chatham"])
def test_one_harvest_each_evening_of_a_year(tmp_path: Path, zone: str) -> None:
    """New York's evening, also on the two days of 23 and 25 hours, wherever the machine is."""
    variables = {"TZ": zone, "AIRFLOW__CORE__DEFAULT_TIMEZONE": zone, "AIRFLOW_HOME": str(tmp_path)}
    done = python("-c", SCHEDULE, variables=variables)
    runs = [line.removeprefix("RUN ") for line in done.stdout.splitlines() if line.startswith("RUN ")]
    days = [pendulum.date(2025, 12, 31).add(days=number) for number in range(365)]
    assert runs == [f"{day.isoformat()} 20:00" for day in days], done.stdout[-2000:] + done.stderr
