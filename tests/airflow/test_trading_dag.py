"""The task `trading` of quantconnect_harvest_insights, run through Airflow against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.airflow.conftest import FAST, Run

QUIET = {"history": {"count": 5}, "growth": {"every_seconds": 0}}


@pytest.fixture
def quantconnect_scenario() -> Any:
    return {
        **FAST,
        "clock": {"speed": 0},
        "projects": [
            {
                "name": name,
                "id": project_id,
                "deployments": [
                    {"status": "Running", "insights": QUIET, "orders": {"history": {"count": count}}}
                ],
            }
            for name, project_id, count in (("Alpha", 2001, 120), ("Beta", 2002, 30))
        ],
    }


@pytest.fixture
def harvest(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> Callable[..., Run]:
    return lambda **conf: run_dag("quantconnect_harvest_insights", **conf)


def count(store_url: str, table: str, column: str = "project_id") -> dict[Any, int]:
    engine = create_engine(store_url)
    with engine.connect() as connection:
        query = f"SELECT {column}, COUNT(*) FROM quantconnect_{table} GROUP BY {column}"
        found = {row[0]: row[1] for row in connection.execute(text(query))}
    engine.dispose()
    return found


def test_everything_traded_lands_in_the_store_once(
    harvest: Callable[..., Run], store_url: str, quantconnect_sandbox: Any
) -> None:
    harvest()
    run = harvest()
    assert run.state == "success"
    assert run.names["trading"] == ["Alpha", "Beta"]
    assert count(store_url, "orders") == {2001: 120, 2002: 30}
    assert count(store_url, "fills")[2001] > 60
    assert count(store_url, "trades")[2001] > 10
    assert count(store_url, "positions")[2001] >= 1
    assert count(store_url, "events") == {}
    counts = run.xcoms["trading[0].return_value"]
    assert (counts["orders"], counts["fills"], counts["trades"], counts["updated"]) == (0, 0, 0, 0)


def test_trading_that_fails_keeps_no_insight_back(
    harvest: Callable[..., Run], store_url: str, quantconnect_sandbox: Any
) -> None:
    quantconnect_sandbox.add_fault(
        "live/orders/read", project_id=2001, times=None, errors=["This project is locked."]
    )
    run = harvest()
    assert run.states["trading[0]"] == "failed"
    assert run.states["trading[1]"] == run.states["extract[0]"] == run.states["announce"] == "success"
    assert run.states["summary"] == "failed"
    assert "1 could not be harvested, everything else was: Alpha" in run.log
    assert count(store_url, "insights") == {2001: 5, 2002: 5}
    assert count(store_url, "orders") == {2002: 30}


def test_trading_can_be_switched_off(
    harvest: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, quantconnect_sandbox: Any
) -> None:
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__HARVEST_TRADING", "False")
    run = harvest(project_ids=[2002])
    assert run.state == "success"
    assert "trading" not in run.names
    assert quantconnect_sandbox.requests("live/orders/read") == []
