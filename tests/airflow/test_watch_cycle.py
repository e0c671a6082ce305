"""One cycle of the watch by itself: its settings, its log, and what it could not read."""

from __future__ import annotations

from typing import Any

import pytest

from quantconnect_provider.dag_support.watch import observe, read_market_calendar
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed
from quantconnect_provider.watch.market_hours import MarketHours

MANY = 103


@pytest.fixture
def quantconnect_scenario() -> Any:
    return {
        "clock": {"speed": 0},
        "projects": [
            {"name": "P{n}", "id": 5001, "count": MANY, "deployments": [{"status": "Running"}]},
        ],
    }


@pytest.fixture(autouse=True)
def always_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__MARKET_CALENDAR", "24/7")


def test_of_many_deployments_a_hundred_are_logged(
    quantconnect_sandbox: Any, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert observe()["running"] == MANY
    assert "... and 3 deployments without events." in caplog.text


def test_what_could_not_be_read_is_counted_and_read_by_the_next_cycle(
    quantconnect_sandbox: Any, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    quantconnect_sandbox.add_fault("live/logs/read", project_id=5001, times=None, errors=["Not today."])
    observe()
    assert "1 deployment could not be read" in caplog.text


def test_an_hour_that_no_day_has_is_refused_before_anything_is_asked(
    quantconnect_sandbox: Any, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__DAILY_REPORT_HOUR", "24")
    with pytest.raises(QuantConnectTaskFailed, match="daily_report_hour is 24"):
        observe()
    assert quantconnect_sandbox.requests() == []


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", MarketHours()),
        (" XLON ", MarketHours("XLON")),
        ('{"5001": "24/7"}', MarketHours(MarketHours.default, {5001: "24/7"})),
        ('{"default": "XLON", "5001": "24/7"}', MarketHours("XLON", {5001: "24/7"})),
    ],
)
def test_calendars_are_read_by_project(setting: str, expected: MarketHours) -> None:
    assert read_market_calendar(setting) == expected
