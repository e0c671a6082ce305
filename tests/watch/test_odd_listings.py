"""Cycles whose list of deployments leaves out, mixes up or garbles rows: nothing is concluded from that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.store import Store
from quantconnect_provider.store.events import FILLS_MISMATCH, WARNING, Problem, open_events
from tests.watch.room import Room, scenario


@pytest.fixture
def room(store: Store) -> Iterator[Room]:
    with Sandbox(scenario()) as sandbox:
        yield Room(sandbox, store)


def overlay(endpoint: str, **fields: Any) -> dict[str, Any]:
    return {"endpoint": endpoint, "fields": fields}


def test_a_row_that_becomes_unreadable_ends_nothing_and_is_named(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.cycle(2)
    room.sandbox.disconnect(room.deploy_id())
    room.cycle(3)
    room.sandbox.set_api(overlays=[overlay("live/list", live={"deployId": None})])
    room.cycle(2)
    assert room.events() == [("disconnected", 100, True)]
    assert "its deployment is not watched" in caplog.text
    room.sandbox.set_api(overlays=[])
    room.cycle(2)
    assert room.events() == [("disconnected", 100, True)]


def test_an_unreadable_row_of_what_is_over_is_not_warned_about(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.sandbox.set_api(overlays=[overlay("live/list", live={"deployId": None, "status": "Stopped"})])
    room.cycle()
    assert "is not watched" not in caplog.text


def test_a_deployment_that_is_neither_listed_nor_readable_for_now_is_asked_for_again(room: Room) -> None:
    room.cycle()
    room.sandbox.set_api(overlays=[overlay("live/list", live=[])])
    room.sandbox.add_fault("live/read", status=500, times=None)
    room.cycle(2)
    assert room.events() == []
    room.sandbox.clear_faults()
    room.sandbox.fail(room.deploy_id())
    room.cycle()
    assert room.events() == [("died", 100, True)]


def test_a_deployment_that_live_read_answers_with_another_one_is_gone(room: Room) -> None:
    room.cycle()
    room.sandbox.set_api(overlays=[overlay("live/list", live=[]), overlay("live/read", deployId="L-other")])
    room.cycle(3)
    assert sorted(room.events()) == [("stopped_elsewhere", 100, True), ("stopped_elsewhere", 101, True)]


def test_the_statistics_of_another_deployment_are_not_taken_for_its_own(room: Room) -> None:
    room.sandbox.set_api(
        overlays=[overlay("live/list", live={"equity": None}), overlay("live/read", deployId="L-other")]
    )
    room.cycle(3)
    assert [row.equity for row in room.equities() if row.equity is not None] == []


def test_what_takes_too_long_waits_for_the_next_cycle(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hurried:
        hurried.setattr("quantconnect_provider.watch.cycle._READING_SECONDS", 0.0)
        report = room.cycle()
    assert (report.looks, report.left) == (0, 2)
    assert room.cycle().looks == 2


def test_an_event_of_the_harvest_is_left_to_the_harvest(room: Room) -> None:
    room.cycle()
    problem = Problem(100, room.deploy_id(), FILLS_MISMATCH, WARNING, "Orders do not agree.")
    open_events(room.store, [problem], room.now)
    room.cycle(2)
    room.sandbox.set_status(room.deploy_id(), "Stopped")
    room.cycle()
    assert ("fills_mismatch", 100, True) in room.events()
