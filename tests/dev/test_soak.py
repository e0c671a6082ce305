"""The soak's own judgement: it sees what is lost, doubled, orphaned or growing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, delete, insert, update
from sqlalchemy.engine import URL

from dev.soak.clock import VARIABLE, SharedClock, read_clock
from dev.soak.day import Happened
from dev.soak.measures import JUDGED_FROM_DAYS, Sample, growing, measure_store
from dev.soak.truth import Truth
from dev.venv import ROOT
from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.harvest import harvest
from quantconnect_provider.harvest.trading import harvest_trading
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.store import Store
from quantconnect_provider.store.events import DIED, Problem, open_events
from quantconnect_provider.store.schema import insights
from quantconnect_provider.store.trading_tables import fills

SCENARIO: dict[str, Any] = {
    "clock": {"speed": 0},
    "api": {"create_while_running": "second"},
    "nodes": {"live": [{"name": "one"}, {"name": "two"}]},
    "defaults": {"insights": {"history": {"count": 7}}, "orders": {"history": {"count": 9}}},
    "projects": [{"name": "Strategy", "id": 1, "deployments": [{"status": "Running"}]}],
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SCENARIO) as sandbox:
        yield sandbox


@pytest.fixture
def store(sandbox: Sandbox, tmp_path: Path) -> URL:
    url = URL.create("sqlite", database=str(tmp_path / "store.db"))
    harvest_all(sandbox, url)
    return url


def harvest_all(sandbox: Sandbox, url: URL) -> None:
    account = (sandbox.user_id, sandbox.api_token)
    with QuantConnectClient(*account, base_url=sandbox.base_url) as client, Store.open(url) as store:
        harvest(client, store, client.list_live()).raise_if_failed()
        harvest_trading(client, store, client.list_live()).raise_if_failed()


def differences(sandbox: Sandbox, store: URL, happened: Happened | None = None) -> list[str]:
    truth = Truth(sandbox, store, happened or Happened())
    found = truth.differences()
    truth.close()
    return found


def execute(store: URL, statement: Any) -> None:
    engine = create_engine(store)
    with engine.begin() as connection:
        connection.execute(statement)
    engine.dispose()


def test_nothing_differs_after_a_harvest(sandbox: Sandbox, store: URL) -> None:
    assert differences(sandbox, store) == []


def test_a_lost_insight_is_seen(sandbox: Sandbox, store: URL) -> None:
    execute(store, delete(insights).where(insights.c.position == 3))
    [found] = differences(sandbox, store)
    assert found.startswith("insights: 1 of 7 lost")


def test_an_old_score_is_seen(sandbox: Sandbox, store: URL) -> None:
    execute(store, update(insights).where(insights.c.position == 3).values(score_magnitude=0.123))
    [found] = differences(sandbox, store)
    assert found.startswith("insights: 1 of 7 different")


def test_a_fill_too_many_is_seen(sandbox: Sandbox, store: URL) -> None:
    now = datetime.now(timezone.utc)
    known = {"project_id": 1, "deploy_id": "L-x", "order_id": 1, "event_id": 2, "quantity": 1.0}
    execute(store, insert(fills).values(**known, first_seen_at=now, observed_at=now))
    [found] = differences(sandbox, store)
    assert "too many" in found


def test_a_deployment_that_no_request_made_is_an_orphan(sandbox: Sandbox, store: URL) -> None:
    truth = Truth(sandbox, store, Happened())
    deploy_id = sandbox.deploy(1)
    sandbox.set_status(deploy_id, "Running")
    harvest_all(sandbox, store)
    found = truth.differences()
    truth.close()
    assert [line.split(":")[0] for line in found] == ["orphan", "doubled", "doubled"]


def test_a_death_without_an_event_is_seen(sandbox: Sandbox, store: URL) -> None:
    [deployment] = sandbox.deployments()
    [found] = differences(sandbox, store, Happened(died=[deployment["deploy_id"]]))
    assert found.startswith("events: 2 of 2 lost")


def test_an_event_for_nothing_is_seen(sandbox: Sandbox, store: URL) -> None:
    with Store.open(store) as opened:
        open_events(opened, [Problem(1, "L-x", DIED, "critical", "It died.")], datetime.now(timezone.utc))
    [found] = differences(sandbox, store)
    assert found.startswith("events: 1 of 0 too many")


def samples(*numbers: float, unit: str = "MB") -> list[Sample]:
    return [{("triggerer", unit): number} for number in numbers]


def test_what_leaks_every_day_grows() -> None:
    assert growing(samples(*range(100, 400, 30))) == [("triggerer", "MB")]


def test_what_was_allocated_at_the_start_is_flat() -> None:
    assert growing(samples(100, 250, 400, 405, 398, 402, 410, 401, 404)) == []


def test_data_may_grow() -> None:
    assert growing(samples(*range(1, 9000, 1000), unit="rows")) == []


def test_too_few_days_say_nothing() -> None:
    assert growing(samples(*range(100, 100 + 1000 * (JUDGED_FROM_DAYS - 1), 1000))) == []


def test_the_store_is_measured_by_its_rows(store: URL) -> None:
    sample = measure_store(store)
    assert sample["store", "rows"] > 16
    assert sample["store", "bytes a row"] > 0


def test_the_provider_takes_the_sandbox_time_in_another_process(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.advance(86_400)
    clock = SharedClock(sandbox, tmp_path / "clock.json")
    code = (
        "from dev.soak.clock import use_sandbox_time; from quantconnect_provider.client.times import utc_now;"
        "use_sandbox_time(); print(utc_now().timestamp())"
    )
    variables = {**os.environ, VARIABLE: str(clock.path)}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=variables, capture_output=True, check=True
    )
    assert float(said.stdout) == pytest.approx(sandbox.now(), abs=0.01)


def test_the_shared_clock_runs_as_fast_as_the_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    clock = SharedClock(sandbox, tmp_path / "clock.json")
    clock.set_speed(1440)
    time.sleep(0.05)
    before, read, after = sandbox.now(), read_clock(clock.path), sandbox.now()
    lag = 1440 * 0.5
    assert before - lag <= read <= after + lag
    clock.set_speed(0)
    assert read_clock(clock.path) == pytest.approx(sandbox.now(), abs=0.01)
