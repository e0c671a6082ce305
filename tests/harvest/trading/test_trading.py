"""Orders, fills, closed trades and positions: kept once each, and little is read on a quiet night."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from quantconnect_provider.client.errors import (
    CredentialsError,
    RefusedError,
    StillLoadingError,
    UnreadableAnswerError,
)
from quantconnect_provider.harvest import Store
from quantconnect_provider.store.events import list_open_events
from quantconnect_provider.store.trading_tables import orders, positions
from tests.harvest.trading.conftest import Night
from tests.harvest.trading.contents import (
    stored,
    stored_fills,
    stored_orders,
    stored_trades,
    true_fills,
    true_orders,
    true_trades,
)
from tests.harvest.trading.fake_trading import SPY, FakeTrading, holding, portfolio

DAY = timedelta(days=1)


def assert_complete(store: Store, api: FakeTrading) -> None:
    assert stored_orders(store) == true_orders(api)
    assert stored_fills(store) == true_fills(api)
    assert stored_trades(store) == true_trades(api)


def order_requests(api: FakeTrading) -> list[tuple[Any, ...]]:
    return [request for request in api.requests if request[0] == "orders"]


def test_orders_of_all_deployments_are_kept_with_their_fills(
    api: FakeTrading, store: Store, night: Night
) -> None:
    first = api.deploy()
    api.buy(first, 3)
    api.stop(first)
    second = api.deploy()
    api.buy(second, 2)
    api.fill(second, api.place(second, -10), -4)
    api.close_trade(first)
    api.close_trade(second)
    report = night(api)
    assert_complete(store, api)
    assert report.counts() == {
        "projects": 1, "failed": 0, "requests": 4, "orders": 6, "fills": 6, "trades": 2, "updated": 0,
        "positions": 0,
    }  # fmt: skip


def test_a_quiet_night_reads_only_the_last_order_and_changes_nothing(
    api: FakeTrading, store: Store, night: Night
) -> None:
    api.buy(api.deploy(), 50)
    night(api)
    api.requests.clear()
    report = night(api)
    assert order_requests(api) == [("orders", 49, 1049)]
    assert (report.counts()["orders"], report.counts()["updated"]) == (0, 0)
    assert_complete(store, api)


def test_a_quiet_night_asks_three_times_a_project(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = api.deploy()
    api.buy(deployment, 50)
    api.close_trade(deployment)
    night(api)
    api.requests.clear()
    night(api)
    assert sorted(name for name, *_ in api.requests) == ["orders", "portfolio", "trades"]


def test_an_open_order_is_read_until_it_is_final(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = api.deploy()
    open_one = api.place(deployment, 10)
    api.buy(deployment, 30)
    night(api)
    api.fill(deployment, open_one, 4)
    night(api)
    assert_complete(store, api)
    api.fill(deployment, open_one, 6, price=101.0)
    report = night(api)
    assert (report.counts()["fills"], report.counts()["updated"]) == (1, 1)
    assert_complete(store, api)
    api.requests.clear()
    night(api)
    assert len(order_requests(api)) == 1


@pytest.mark.parametrize(
    "reading",
    [
        {"widest": 100},
        {"cap": 100},
        {"length": "page"},
        {"length": "none"},
        {"past_end": "error"},
        {"past_end": "clamp"},
        {"loading": 3},
        {"loading": 3, "loading_is_an_error": True},
    ],
    ids=str,
)
def test_every_reading_of_the_documentation_gives_the_same(
    reading: dict[str, Any], store: Store, night: Night
) -> None:
    api = FakeTrading(**reading)
    first = api.deploy()
    api.buy(first, 130)
    api.buy(first, 20, quantity=-10)
    for _ in range(120):
        api.close_trade(first)
    night(api).raise_if_failed()
    assert_complete(store, api)
    api.stop(first)
    api.buy(api.deploy(), 100)
    night(api).raise_if_failed()
    assert_complete(store, api)


def test_no_orders_is_believed_after_asking_again(api: FakeTrading, store: Store, night: Night) -> None:
    api.deploy()
    night(api, loading_seconds=15).raise_if_failed()
    assert api.slept == [1, 2, 4, 8]


def test_orders_that_are_known_and_not_shown_fail_the_project_and_stay(
    api: FakeTrading, store: Store, night: Night
) -> None:
    api.buy(api.deploy(), 3)
    night(api)
    before = stored_orders(store)
    api.loading = 1000
    report = night(api)
    assert isinstance(report.failed[0].error, StillLoadingError)
    assert stored_orders(store) == before


def test_a_deployment_that_has_ended_is_read_no_more(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = api.deploy()
    api.place(deployment, 10)
    api.stop(deployment)
    night(api)
    api.now += DAY
    night(api)
    api.requests.clear()
    report = night(api)
    assert report.results[0].status == "settled"
    assert api.requests == []


def test_orders_that_appear_in_the_middle_are_found(api: FakeTrading, store: Store, night: Night) -> None:
    """The last orders of a deployment show late, after the first ones of the next."""
    first = api.deploy()
    api.buy(first, 5)
    early = list(first.served)
    api.buy(first, 2)
    api.stop(first)
    second = api.deploy()
    api.buy(second, 3)
    first.served = early
    night(api)
    api.serve(first)
    night(api).raise_if_failed()
    assert_complete(store, api)


def test_orders_that_are_not_shown_any_more_are_kept_without_a_position(
    api: FakeTrading, store: Store, night: Night
) -> None:
    deployment = api.deploy()
    api.buy(deployment, 5)
    night(api)
    del deployment.served[1:3]
    night(api).raise_if_failed()
    found = stored(store, orders, "order_id", "position")
    assert found == [(1, 0), (2, None), (3, None), (4, 1), (5, 2)]


def test_a_row_that_cannot_be_read_keeps_its_place_and_is_named(
    api: FakeTrading, store: Store, night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    deployment = api.deploy()
    api.buy(deployment, 5)
    deployment.served[2] = None  # type: ignore[call-overload]
    report = night(api)
    assert [place for *_, place, _, _ in stored_orders(store)] == [0, 1, 3, 4]
    assert report.results[0].set_aside == 1
    assert "Project 1: the order at position 2 is set aside: it cannot be read." in caplog.text
    api.serve(deployment)
    night(api)
    assert_complete(store, api)


def test_an_order_without_events_belongs_where_its_neighbours_do(
    api: FakeTrading, store: Store, night: Night
) -> None:
    first = api.deploy()
    api.buy(first)
    api.place(first, 10, events=False)
    api.buy(first)
    api.stop(first)
    second = api.deploy()
    api.place(second, 10, events=False)
    api.buy(second)
    night(api)
    assert [row[1:4] for row in stored_orders(store)] == [row[1:4] for row in true_orders(api)]


def test_an_order_whose_deployment_cannot_be_told_is_kept_as_soon_as_it_can(
    api: FakeTrading, store: Store, night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = api.deploy(), api.deploy()
    number = api.place(first, 10, events=False)
    report = night(api)
    assert (stored_orders(store), report.results[0].set_aside) == ([], 1)
    assert "names no deployment" in caplog.text
    api.fill(first, number, 10)
    api.buy(second)
    night(api)
    assert_complete(store, api)


def test_a_late_answer_takes_nothing_back(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = api.deploy()
    number = api.place(deployment, 10)
    late = FakeTrading()
    late.now, late.deployments = api.now, [deployment]
    asked_at = api.now
    api.now += DAY
    api.fill(deployment, number, 10)
    night(api)
    expected = stored_orders(store)
    deployment.served = [{**deployment.orders[0], "status": 1, "price": 0.0, "events": []}]
    late.now = asked_at
    night(late)
    assert stored_orders(store) == expected
    assert len(stored_fills(store)) == 1


@pytest.mark.parametrize("failing", ["orders", "trades"])
def test_a_harvest_that_breaks_off_anywhere_is_continued(
    failing: str, api: FakeTrading, store: Store, night: Night
) -> None:
    deployment = api.deploy()
    api.buy(deployment, 35)
    for _ in range(25):
        api.close_trade(deployment)

    class Killed(BaseException):
        pass

    def kill(number: int) -> None:
        if number >= at and api.requests[number][0] == failing:
            raise Killed

    at, done = 0, False
    while not done:
        api.before_answer = kill
        try:
            night(api, window=10, narrow_window=10)
            done = True
        except Killed:
            at += 1
            api.requests.clear()
    assert_complete(store, api)


def test_fills_that_do_not_add_up_open_one_event_until_they_do(
    api: FakeTrading, store: Store, night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    deployment = api.deploy()
    api.buy(deployment, 3)
    lost = deployment.served[1]["events"].pop()
    night(api)
    night(api)
    (event,) = list_open_events(store)
    assert (event.kind, event.deploy_id, event.detail["order_ids"]) == (
        "fills_mismatch", deployment.deploy_id, [2],
    )  # fmt: skip
    assert "Orders do not agree with the sums of their fills: 2." in caplog.text
    deployment.served[1]["events"].append(lost)
    night(api)
    assert list_open_events(store) == []
    assert_complete(store, api)


def test_a_mean_price_that_is_off_is_a_mismatch(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = api.deploy()
    api.buy(deployment, 2)
    deployment.served[0]["price"] = 99.0
    night(api)
    assert [event.detail["order_ids"] for event in list_open_events(store)] == [[1]]


def test_positions_are_the_latest(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = api.deploy()
    api.portfolios[1] = portfolio(500, holding(SPY, 10, 100), holding("BTCUSD 2XR", 0.5, 60_000))
    night(api)
    api.portfolios[1] = portfolio(900.25, holding(SPY, -3, 101))
    assert night(api).counts()["positions"] == 2
    found = stored(store, positions, "kind", "symbol", "ticker", "quantity", "average_price", "deploy_id")
    assert found == [
        ("cash", "USD", "USD", 900.25, None, deployment.deploy_id),
        ("holding", SPY, "SPY", -3.0, 101.0, deployment.deploy_id),
    ]


def test_a_portfolio_that_cannot_be_read_leaves_the_positions_and_the_rest_is_harvested(
    api: FakeTrading, store: Store, night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    api.buy(api.deploy())
    api.portfolios[1] = portfolio(500)
    night(api)
    api.portfolios[1] = UnreadableAnswerError("live/portfolio/read has no holdings.")
    night(api).raise_if_failed()
    assert stored(store, positions, "quantity") == [(500.0,)]
    assert "its positions are not updated" in caplog.text
    assert_complete(store, api)


def test_a_project_that_fails_stops_no_other(api: FakeTrading, store: Store, night: Night) -> None:
    for project_id in (1, 2, 3):
        api.buy(api.deploy(project_id))
    api.portfolios[2] = RefusedError("This project is locked.")
    report = night(api)
    assert [result.project_id for result in report.failed] == [2]
    assert {row[0] for row in stored_orders(store)} == {1, 3}
    assert "This project is locked." in report.to_json()["failed"][0]["error"]


def test_nothing_is_asked_after_the_credentials_are_refused(
    api: FakeTrading, store: Store, night: Night
) -> None:
    for project_id in (1, 2, 3):
        api.deploy(project_id)
    api.portfolios[1] = CredentialsError("no")
    assert len(night(api).failed) == 3
    assert len(api.requests) == 1


def test_text_that_no_database_takes_stops_nothing(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = api.deploy()
    api.buy(deployment, 2)
    for _ in range(2):
        deployment.served[0] |= {"tag": "a\x00b\ud800", "brokerId": ["\x00", "\udfff"]}
        night(api).raise_if_failed()
    assert stored(store, orders, "order_id", "tag") == [(1, "ab\ufffd"), (2, None)]


def test_a_second_read_of_everything_changes_nothing(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = api.deploy()
    api.buy(deployment, 20)
    deployment.served[3] |= {"extraNumber": 1.5, "properties": {"timeInForce": {}}, "tag": "ü"}
    night(api)
    assert night(api, full=True).counts()["updated"] == 0


def test_a_fill_whose_event_gets_another_id_is_one_fill(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = api.deploy()
    api.buy(deployment, 2)
    night(api)
    deployment.orders[0]["events"][-1]["orderEventId"] = 900
    api.serve(deployment)
    night(api, full=True)
    assert_complete(store, api)
