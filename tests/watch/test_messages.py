"""What a person reads about events, and the report of the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.store import Store
from quantconnect_provider.store.events import (
    CRITICAL,
    DIED,
    Event,
    Problem,
    list_open_events,
    open_events,
    resolve_events,
)
from quantconnect_provider.store.watch_tables import events
from quantconnect_provider.watch.messages import Places, message_of
from quantconnect_provider.watch.report import daily_report, report_daily
from tests.watch.room import Room, scenario

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


@pytest.fixture
def room(store: Store) -> Iterator[Room]:
    with Sandbox(scenario()) as sandbox:
        yield Room(sandbox, store)


def died(store: Store, **detail: Any) -> Event:
    problem = Problem(7, "L-1/2", DIED, CRITICAL, "RuntimeError: division by zero", detail)
    (event,) = open_events(store, [problem], NOON)
    return event


def test_a_message_says_where_to_see_more(store: Store) -> None:
    places = Places("https://airflow.example", "https://www.quantconnect.com/project/{project_id}")
    lines = message_of([died(store)], places).text.splitlines()
    assert "QuantConnect: https://www.quantconnect.com/project/7" in lines
    assert "Airflow: https://airflow.example/plugin/quantconnect#/deployment/L-1%2F2" in lines


def test_a_message_names_no_place_that_is_not_known(store: Store) -> None:
    assert "http" not in message_of([died(store)], Places()).text


def test_a_problem_that_was_gone_before_it_was_told_is_told_as_gone(store: Store) -> None:
    event = died(store)
    (resolved, *_) = resolve_events(store, [event.key], NOON + timedelta(hours=1), runs_again=False)
    assert "Gone since 2026-03-02 13:00 UTC." in message_of([resolved], Places()).text


def test_a_long_name_is_cut_in_the_subject_and_whole_in_the_text(store: Store) -> None:
    name = "Momentum " * 40
    message = message_of([died(store, project_name=name)], Places())
    assert len(message.subject) == 150
    assert message.subject.endswith("…")
    assert name.strip() in message.text


def test_the_report_waits_for_its_hour_and_comes_once_a_day(store: Store) -> None:
    assert not report_daily(store, NOON - timedelta(minutes=1), 12)
    assert report_daily(store, NOON, 12)
    assert not report_daily(store, NOON + timedelta(hours=11), 12)
    assert report_daily(store, NOON + timedelta(days=1), 12)
    with store.read() as connection:
        assert len(list(connection.execute(events.select()))) == 2
    assert list_open_events(store) == []


def test_the_report_of_a_day_without_anything_is_one_line(store: Store) -> None:
    assert daily_report(store, NOON) == "0 deployments running, 0 open events, 2026-03-02 12:00 UTC."


def test_the_report_of_a_quiet_day_has_no_events(room: Room) -> None:
    room.cycle(2)
    report = daily_report(room.store, room.now)
    assert report.startswith("2 deployments running, 0 open events")
    assert "message" not in report
    assert report.count("+0.00%") == 2


def test_the_report_shows_what_runs_without_an_equity(room: Room) -> None:
    """Nobody knows it yet: a number would be made up."""
    fields = [
        {"endpoint": "live/list", "fields": {"live": {"equity": None}}},
        {"endpoint": "live/read", "fields": {"runtimeStatistics": {"Equity": "n/a"}}},
    ]
    room.sandbox.set_api(overlays=fields)
    room.cycle(2)
    report = daily_report(room.store, room.now)
    line = next(line for line in report.splitlines() if line.startswith("Project 0"))
    assert line.split() == ["Project", "0", room.deploy_id(100), "Running"]
