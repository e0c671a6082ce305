"""Cycles of the watch against the sandbox, on SQLite and PostgreSQL: each event once, nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.store import Store
from quantconnect_provider.store.live_requests import LiveRequest, save_live_request
from quantconnect_provider.store.queries import count_deployments
from quantconnect_provider.watch.market_hours import MarketHours
from tests.watch.room import LIMITS, MINUTE, STALE_LIMITS, Room, scenario


@pytest.fixture
def room(store: Store) -> Iterator[Room]:
    with Sandbox(scenario()) as sandbox:
        yield Room(sandbox, store)


def test_what_runs_well_is_no_event_and_leaves_its_equity(room: Room) -> None:
    room.cycle(3)
    assert room.events() == []
    found = room.equities()
    assert [row.status for row in found] == ["Running"] * 3
    assert [row.equity for row in found] == [100_000.0] * 3
    assert [row.return_fraction for row in found if row.return_fraction is not None] == [0.0]
    assert {count.status for count in count_deployments(room.store)} == {"Running"}


def test_a_cycle_asks_for_one_list_and_at_most_one_read_each(room: Room) -> None:
    for _ in range(10):
        room.sandbox.clear_requests()
        room.cycle()
        asked = [request["endpoint"] for request in room.sandbox.requests()]
        assert asked.count("live/list") == 1
        assert len(asked) <= 1 + 2


def test_a_death_is_one_event_with_its_cause_and_last_lines(room: Room) -> None:
    room.cycle()
    room.sandbox.fail(room.deploy_id(), "Runtime Error: division by zero", logs=["Last words"])
    room.cycle(3)
    assert room.events() == [("died", 100, True)]
    died = room.event("died")
    assert died.message == "RuntimeError: Runtime Error: division by zero"
    assert any("Last words" in line for line in died.detail["log"])
    assert room.equities()[-1].status == "RuntimeError"
    assert len(room.equities()) == 2


def test_the_restart_of_a_dead_deployment_resolves_it_and_is_told_once(room: Room) -> None:
    room.cycle()
    room.sandbox.fail(room.deploy_id())
    room.cycle(2)
    room.sandbox.set_status(room.deploy_id(), "Running")
    room.cycle(3)
    assert room.events() == [("died", 100, False), ("recovered", 100, False)]
    room.sandbox.fail(room.deploy_id())
    room.cycle(2)
    assert [kind for kind, _, _ in room.events()].count("died") == 2


def test_a_new_deployment_in_place_of_a_dead_one_resolves_it(room: Room) -> None:
    room.cycle()
    room.sandbox.fail(room.deploy_id())
    room.cycle()
    save_live_request(room.store, LiveRequest(100, room.now, "deploy"))
    room.sandbox.deploy(100)
    room.sandbox.advance(60)
    room.cycle(3)
    assert room.events() == [("died", 100, False), ("recovered", 100, False)]


def test_a_death_between_two_cycles_is_not_missed_when_it_was_replaced(room: Room) -> None:
    room.cycle()
    room.sandbox.fail(room.deploy_id())
    save_live_request(room.store, LiveRequest(100, room.now, "deploy"))
    room.sandbox.deploy(100)
    room.sandbox.advance(60)
    room.cycle(2)
    assert room.events() == [("died", 100, False), ("recovered", 100, False)]


@pytest.mark.parametrize("minutes", [60, 60 * 24 * 3])
def test_only_a_death_of_today_is_news_to_the_first_cycle(room: Room, minutes: float) -> None:
    room.sandbox.fail(room.deploy_id())
    room.cycle(minutes=minutes)
    room.cycle(2)
    assert room.events() == ([("died", 100, True)] if minutes == 60 else [])


def test_a_stop_by_somebody_else_is_an_event(room: Room) -> None:
    room.cycle()
    room.sandbox.set_status(room.deploy_id(), "Stopped")
    room.cycle(3)
    assert room.events() == [("stopped_elsewhere", 100, True)]


@pytest.mark.parametrize("action", ["stop", "liquidate"])
def test_a_stop_by_this_airflow_is_none(room: Room, action: str) -> None:
    room.cycle()
    save_live_request(room.store, LiveRequest(100, room.now, action, room.deploy_id(), "run"))
    room.sandbox.set_status(room.deploy_id(), "Liquidated")
    room.cycle(3)
    assert room.events() == []


def test_a_stop_that_makes_room_for_a_deployment_is_none(room: Room) -> None:
    room.cycle()
    save_live_request(room.store, LiveRequest(100, room.now, "deploy"))
    room.sandbox.set_status(room.deploy_id(), "Stopped")
    room.cycle()
    room.sandbox.deploy(100)
    room.cycle()
    assert room.events() == []


def test_a_deployment_of_somebody_else_is_unknown_here(room: Room) -> None:
    room.cycle()
    room.sandbox.add_project("Theirs", 300)
    room.sandbox.deploy(300)
    room.sandbox.advance(60)
    room.cycle(3)
    assert room.events() == [("unknown_here", 300, True)]
    room.sandbox.set_status(room.deploy_id(300), "Stopped")
    room.cycle()
    assert ("unknown_here", 300, False) in room.events()


def test_a_deployment_that_somebody_else_starts_after_our_stop_is_unknown_here(room: Room) -> None:
    room.cycle()
    save_live_request(room.store, LiveRequest(100, room.now, "stop", room.deploy_id(), "run"))
    room.sandbox.set_status(room.deploy_id(), "Stopped")
    room.cycle()
    room.sandbox.deploy(100)
    room.sandbox.advance(60)
    room.cycle(2)
    assert room.events() == [("unknown_here", 100, True)]


def test_a_deployment_of_this_airflow_is_known(room: Room) -> None:
    room.cycle()
    room.sandbox.add_project("Ours", 300)
    deploy_id = room.sandbox.deploy(300)
    room.sandbox.advance(60)
    save_live_request(room.store, LiveRequest(300, room.now, "deploy", deploy_id, "run"))
    room.cycle(2)
    assert room.events() == []


def test_a_drawdown_is_one_event_until_equity_is_back(room: Room) -> None:
    room.cycle()
    room.sandbox.drawdown(room.deploy_id(), 0.3)
    room.cycle(3)
    assert room.events() == [("drawdown", 100, True)]
    detail = room.event("drawdown").detail
    assert detail["drawdown"] == pytest.approx(0.3, abs=0.001)
    assert detail["peak"] == 100_000.0
    room.sandbox.set_cash(room.deploy_id(), [{"currency": "USD", "amount": 95_000}])
    room.cycle(2)
    assert room.events() == [("drawdown", 100, False)]


def test_equity_gone_to_zero(room: Room) -> None:
    room.limits = replace(LIMITS, drawdown=0.0)
    room.cycle()
    room.sandbox.drawdown(room.deploy_id(), 1.0)
    room.cycle(3)
    assert room.events() == [("zero_equity", 100, True)]


def test_silence_is_stale_once_log_and_insights_were_read_again(room: Room) -> None:
    room.limits = STALE_LIMITS
    room.cycle(4)
    assert room.events() == []
    room.cycle(6)
    assert sorted(room.events()) == [("stale", 100, True), ("stale", 101, True)]
    assert "the market was open" in room.events_of("stale")[0].message


def test_a_trade_is_a_sign_of_life(room: Room) -> None:
    room.limits = STALE_LIMITS
    room.cycle(9)
    room.sandbox.trade(room.deploy_id(), "SPY R735QTJ8XC9X", 1, 500, fee=1)
    room.cycle()
    assert sorted(room.events()) == [("stale", 100, False), ("stale", 101, True)]


def test_an_insight_is_a_sign_of_life(room: Room) -> None:
    room.limits = STALE_LIMITS
    for _ in range(12):
        room.sandbox.add_insights(room.deploy_id(100))
        room.cycle()
    assert room.events() == [("stale", 101, True)]


def test_a_new_log_line_is_a_sign_of_life(store: Store) -> None:
    with Sandbox(scenario(log_every_seconds=300)) as sandbox:
        room = Room(sandbox, store, STALE_LIMITS)
        for _ in range(10):
            sandbox.advance(600)
            room.cycle()
        assert room.events() == []
        sandbox.go_stale(room.deploy_id())
        for _ in range(10):
            sandbox.advance(600)
            room.cycle()
        assert room.events() == [("stale", 100, True)]


def test_nothing_is_stale_while_its_market_is_closed(room: Room) -> None:
    room.limits = replace(STALE_LIMITS, hours=MarketHours("XNYS"))
    room.now = room.now.replace(year=2026, month=11, day=21, hour=0)  # a Saturday
    room.cycle(30, minutes=60)
    assert room.events() == []


def test_a_lost_brokerage_is_seen_in_the_log(room: Room) -> None:
    room.cycle(2)
    room.sandbox.disconnect(room.deploy_id())
    room.cycle(3)
    assert room.events() == [("disconnected", 100, True)]
    assert "when disconnected" in room.event("disconnected").message
    room.sandbox.reconnect(room.deploy_id())
    room.cycle(2)
    assert room.events() == [("disconnected", 100, False)]


def test_a_lost_brokerage_is_found_at_the_end_of_a_long_log(store: Store) -> None:
    with Sandbox(scenario(log_every_seconds=1)) as sandbox:
        room = Room(sandbox, store)
        sandbox.advance(3000)
        room.cycle()
        sandbox.advance(1000)
        sandbox.disconnect(room.deploy_id())
        room.cycle(4)
        assert room.events() == [("disconnected", 100, True)]


@pytest.mark.parametrize(
    "overlay",
    [
        {"endpoint": "live/list", "fields": {"live": {"equity": None}}},
        {"endpoint": "live/list", "fields": {"live": {"equity": "$1,00"}}},
        {"endpoint": "live/read", "fields": {"runtimeStatistics": []}},
        {"endpoint": "live/read", "fields": {"runtimeStatistics": {"Equity": "n/a", "Return": None}}},
    ],
)
def test_odd_numbers_cost_only_themselves(room: Room, overlay: dict[str, object]) -> None:
    room.sandbox.set_api(overlays=[overlay])
    room.cycle(3)
    room.sandbox.fail(room.deploy_id())
    room.cycle(2)
    assert room.events() == [("died", 100, True)]


def test_equity_comes_from_the_statistics_where_the_list_has_none(room: Room) -> None:
    room.sandbox.set_api(overlays=[{"endpoint": "live/list", "fields": {"live": {"equity": None}}}])
    room.cycle(4)
    assert 100_000.0 in [row.equity for row in room.equities()]


def test_an_unknown_status_is_neither_an_end_nor_lost(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.cycle()
    room.sandbox.set_api(overlays=[{"endpoint": "live/list", "fields": {"live": {"status": "Dancing"}}}])
    room.cycle(2)
    assert room.events() == []
    assert "'Dancing'" in caplog.text
    room.sandbox.set_api(overlays=[])
    room.sandbox.fail(room.deploy_id())
    room.cycle(2)
    assert room.events() == [("died", 100, True)]


def test_a_renamed_project_keeps_its_events(room: Room) -> None:
    room.cycle()
    room.sandbox.fail(room.deploy_id())
    room.cycle()
    room.sandbox.set_api(overlays=[{"endpoint": "live/list", "fields": {"live": {"projectName": "New"}}}])
    room.cycle(2)
    assert room.events() == [("died", 100, True)]
    assert "New" in {count.project_name for count in count_deployments(room.store)}


def test_a_deleted_project_is_said_once(room: Room) -> None:
    room.cycle()
    room.sandbox.disconnect(room.deploy_id())
    room.cycle(2)
    gone = [{"endpoint": "live/list", "fields": {"live": []}}]
    room.sandbox.set_api(overlays=gone)
    room.sandbox.add_fault("live/read", errors=["Project not found."], times=None)
    room.cycle(3)
    assert ("disconnected", 100, False) in room.events()
    assert [kind for kind, project, _ in room.events() if project == 100].count("stopped_elsewhere") == 1


def test_a_row_that_live_list_leaves_out_is_read_instead(room: Room) -> None:
    room.cycle()
    room.sandbox.set_api(overlays=[{"endpoint": "live/list", "fields": {"live": []}}])
    room.cycle(3)
    assert room.events() == []
    room.sandbox.fail(room.deploy_id())
    room.cycle(2)
    assert room.events() == [("died", 100, True)]


def test_a_clock_that_jumps_loses_nothing_and_doubles_nothing(room: Room) -> None:
    room.cycle(2)
    room.now += timedelta(days=365)
    room.sandbox.fail(room.deploy_id())
    room.cycle()
    room.now -= timedelta(days=366)
    room.cycle(3)
    room.sandbox.fail(room.deploy_id(101))
    room.cycle(2)
    assert [each for each in room.events() if each[0] == "died"] == [("died", 101, True), ("died", 100, True)]


def test_a_closer_look_that_fails_stops_no_other(room: Room) -> None:
    room.sandbox.add_fault("live/logs/read", project_id=100, times=None, errors=["Not now."])
    room.cycle()
    room.sandbox.fail(room.deploy_id(100))
    room.sandbox.disconnect(room.deploy_id(101))
    report = room.cycle()
    assert list(report.failures) == [room.deploy_id(100)]
    room.cycle(2)
    assert sorted(room.events()) == [("died", 100, True), ("disconnected", 101, True)]


def test_without_a_list_nothing_changes(room: Room) -> None:
    room.cycle()
    room.sandbox.add_fault("live/list", status=503, times=None)
    with pytest.raises(QuantConnectError):
        room.cycle()
    room.sandbox.clear_faults()
    room.sandbox.fail(room.deploy_id())
    room.cycle(2)
    assert room.events() == [("died", 100, True)]


def test_two_watches_at_once_open_each_event_once(room: Room, store_url: str) -> None:
    room.cycle()
    room.sandbox.fail(room.deploy_id(100))
    room.sandbox.drawdown(room.deploy_id(101), 0.5)
    with Store.open(store_url) as other:
        rooms = [Room(room.sandbox, each, now=room.now + MINUTE) for each in (room.store, other)]
        threads = [threading.Thread(target=each.cycle) for each in rooms]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(room.events()) == [("died", 100, True), ("drawdown", 101, True)]
    opened = [event.event_id for each in rooms for report in each.reports for event in report.opened]
    assert len(opened) == len(set(opened)) == 2
