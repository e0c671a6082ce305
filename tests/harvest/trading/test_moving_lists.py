"""Lists of orders and trades that move while they are read: what is stored follows, or the night says no."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quantconnect_provider.client.errors import CredentialsError, RefusedError, StillLoadingError
from quantconnect_provider.harvest import Store
from quantconnect_provider.harvest.harvest_errors import UnstableListError
from quantconnect_provider.store.events import list_open_events
from quantconnect_provider.store.trading_tables import orders, positions
from tests.harvest.trading.conftest import Night
from tests.harvest.trading.contents import (
    stored,
    stored_fills,
    stored_orders,
    stored_trades,
    true_orders,
    true_trades,
)
from tests.harvest.trading.fake_trading import SPY, FakeDeployment, FakeTrading, holding, portfolio


def traded(api: FakeTrading, orders: int = 0, trades: int = 0) -> FakeDeployment:
    deployment = api.deploy()
    api.buy(deployment, orders)
    for _ in range(trades):
        api.close_trade(deployment)
    return deployment


def order_windows(api: FakeTrading) -> list[tuple[int, int]]:
    return [(request[1], request[2]) for request in api.requests if request[0] == "orders"]


def test_orders_that_never_hold_still_are_given_up_and_read_the_next_night(
    api: FakeTrading, store: Store, night: Night
) -> None:
    deployment = traded(api, 25)
    api.before_answer = lambda number: deployment.served.reverse()
    (failed,) = night(api, window=10, narrow_window=10).failed
    assert isinstance(failed.error, UnstableListError)
    assert failed.error.retryable
    api.before_answer = lambda number: None
    api.serve(deployment)
    night(api).raise_if_failed()
    assert stored_orders(store) == true_orders(api)


def test_trades_that_never_hold_still_are_given_up(api: FakeTrading, store: Store, night: Night) -> None:
    deployment = traded(api, trades=25)
    api.before_answer = lambda number: deployment.trades.reverse()
    (failed,) = night(api, window=10, narrow_window=10).failed
    assert isinstance(failed.error, UnstableListError)


@pytest.mark.parametrize("past_end", ["empty", "error", "clamp"])
def test_a_list_of_orders_that_became_short_is_read_from_its_beginning(
    past_end: str, store: Store, night: Night
) -> None:
    api = FakeTrading(past_end=past_end)
    deployment = traded(api, 6)
    night(api)
    del deployment.served[2:]
    night(api).raise_if_failed()
    placed = [position for (position,) in stored(store, orders, "position") if position is not None]
    assert placed == [0, 1]


@pytest.mark.parametrize("past_end", ["empty", "error", "clamp"])
def test_a_list_of_trades_that_became_short_is_read_from_its_beginning(
    past_end: str, store: Store, night: Night
) -> None:
    api = FakeTrading(past_end=past_end)
    deployment = traded(api, trades=6)
    night(api)
    del deployment.trades[:3]
    night(api).raise_if_failed()
    known = {trade_id: position for _, position, trade_id, _ in stored_trades(store)}
    assert [known[trade["id"]] for trade in deployment.trades] == [0, 1, 2]


def test_trades_that_are_refused_fail_the_project_after_its_orders_are_stored(
    api: FakeTrading, store: Store, night: Night
) -> None:
    traded(api, 3, trades=1)

    def refuse(number: int) -> None:
        if api.requests[number][0] == "trades":
            raise RefusedError("Not allowed.")

    api.before_answer = refuse
    (failed,) = night(api).failed
    assert "Not allowed." in failed.remark
    assert len(stored_orders(store)) == 3


@pytest.mark.parametrize("length", ["total", "none"])
def test_as_many_trades_as_one_answer_holds_are_all_of_them(length: str, store: Store, night: Night) -> None:
    api = FakeTrading(length=length)
    traded(api, trades=10)
    night(api, window=10, narrow_window=10).raise_if_failed()
    assert stored_trades(store) == true_trades(api)


def test_an_order_that_cannot_be_read_at_the_end_of_an_answer_hides_no_other(
    api: FakeTrading, store: Store, night: Night
) -> None:
    deployment = traded(api, 25)
    deployment.served[9] = None  # type: ignore[call-overload]
    night(api, window=10, narrow_window=10).raise_if_failed()
    assert [row[3] for row in stored_orders(store)] == [place for place in range(25) if place != 9]


def test_of_many_rows_that_cannot_be_read_the_first_ten_are_named_and_all_counted(
    api: FakeTrading, store: Store, night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    deployment = traded(api, 15, trades=15)
    deployment.served[2:14] = [None] * 12  # type: ignore[list-item]
    assert night(api).results[0].set_aside == 12
    assert caplog.text.count("is set aside: it cannot be read") == 10


def test_of_many_trades_that_cannot_be_read_the_first_ten_are_named_and_all_counted(
    api: FakeTrading, store: Store, night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    deployment = traded(api, trades=15)
    deployment.trades[2:14] = [None] * 12  # type: ignore[list-item]
    assert night(api).results[0].set_aside == 12
    assert caplog.text.count("cannot be read") == 10
    assert [position for _, position, *_ in stored_trades(store)] == [0, 1, 14]


def test_open_orders_far_apart_are_read_in_windows_of_their_own(
    api: FakeTrading, store: Store, night: Night
) -> None:
    deployment = api.deploy()
    early = api.place(deployment)
    api.buy(deployment, 30)
    late = api.place(deployment)
    api.buy(deployment, 30)
    night(api, window=20, narrow_window=20)
    api.fill(deployment, early, 10)
    api.fill(deployment, late, 10)
    api.requests.clear()
    night(api, window=20, narrow_window=20)
    assert order_windows(api) == [(61, 81), (0, 1), (31, 32)]
    assert stored_orders(store) == true_orders(api)


def test_open_orders_are_found_in_an_api_that_quietly_gives_fewer_rows(
    api: FakeTrading, store: Store, night: Night
) -> None:
    deployment = api.deploy()
    numbers = [api.place(deployment) for _ in range(30)]
    night(api)
    for number in numbers:
        api.fill(deployment, number, 10)
    api.cap = 10
    night(api).raise_if_failed()
    assert stored_orders(store) == true_orders(api)


def test_the_open_order_of_a_stopped_deployment_is_read_until_its_end_must_show_and_then_no_more(
    api: FakeTrading, store: Store, night: Night
) -> None:
    first = api.deploy()
    open_one = api.place(first)
    api.buy(first)
    api.stop(first)
    api.buy(api.deploy())
    night(api)
    api.cancel(first, open_one)
    api.now += timedelta(days=1)
    night(api)
    assert stored_orders(store) == true_orders(api)


def test_an_order_left_open_long_after_its_deployment_ended_costs_no_request(
    api: FakeTrading, store: Store, night: Night
) -> None:
    first = api.deploy()
    api.place(first)
    api.buy(first)
    api.stop(first)
    api.buy(api.deploy())
    api.now += timedelta(days=1)
    night(api)
    api.requests.clear()
    night(api)
    assert order_windows(api) == [(2, 1002)]


def test_an_order_after_one_of_a_deployment_that_is_not_listed_is_given_to_nobody(
    api: FakeTrading, store: Store, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.buy(api.deploy())
    deleted = api.deploy()
    api.buy(deleted)
    api.place(deleted, events=False)
    api.buy(api.deploy())
    listed = [row for row in api.list_live() if row.deploy_id != deleted.deploy_id]
    monkeypatch.setattr(api, "list_live", lambda: listed)
    assert night(api).results[0].set_aside == 1
    assert [row[3] for row in stored_orders(store)] == [0, 1, 3]


@pytest.mark.parametrize("unknown", [{"quantity": None}, {"price": None}, {"price": 0.0}])
def test_what_an_order_does_not_say_is_no_mismatch(
    unknown: dict[str, None], api: FakeTrading, store: Store, night: Night
) -> None:
    deployment = api.deploy()
    api.buy(deployment, 2)
    lost = deployment.served[1]["events"].pop()
    night(api)
    deployment.served[1] |= unknown
    deployment.served[1]["events"].append(lost)
    night(api)
    assert list_open_events(store) == []


def test_an_older_portfolio_does_not_replace_a_newer_one(
    api: FakeTrading, store: Store, night: Night
) -> None:
    deployment = api.deploy()
    late = FakeTrading()
    late.now, late.deployments = api.now, [deployment]
    late.portfolios[1] = portfolio(1, holding(SPY, 10, 100))
    api.now += timedelta(hours=1)
    api.portfolios[1] = portfolio(500)
    night(api)
    assert night(late).counts()["positions"] == 0
    assert stored(store, positions, "quantity") == [(500.0,)]


def test_a_holding_of_nothing_is_no_position(api: FakeTrading, store: Store, night: Night) -> None:
    api.deploy()
    api.portfolios[1] = portfolio(500, holding(SPY, 0, 100))
    assert night(api).counts()["positions"] == 1
    assert stored(store, positions, "kind") == [("cash",)]


def test_projects_that_wait_for_their_orders_fail_with_the_account(
    api: FakeTrading, store: Store, night: Night
) -> None:
    """Asking again would only send refused credentials again."""
    api.deploy(1)
    api.deploy(2)
    api.portfolios[2] = CredentialsError("no")
    failed = night(api).failed
    assert [type(one.error) for one in failed] == [CredentialsError, CredentialsError]
    assert api.slept == []


def test_without_a_wait_a_project_without_orders_is_believed_at_once(
    api: FakeTrading, store: Store, night: Night
) -> None:
    api.deploy()
    night(api, loading_seconds=0).raise_if_failed()
    assert api.slept == []


def test_an_answer_that_counts_orders_and_shows_none_is_still_loading(
    api: FakeTrading, store: Store, night: Night
) -> None:
    traded(api, 3)
    api.cap = 0
    (failed,) = night(api, loading_seconds=0).failed
    assert isinstance(failed.error, StillLoadingError)
    assert "says that there are 3" in failed.remark


def test_a_large_batch_has_a_line_for_what_changed_and_one_for_the_rest(
    api: FakeTrading, store: Store, night: Night
) -> None:
    for project_id in range(1, 25):
        api.buy(api.deploy(project_id))
    night(api)
    api.buy(api.deployments[6])
    lines = night(api).table().splitlines()
    assert [line.split("  ")[0] for line in lines[2:]] == ["Project 7 (7)", "23 without changes", "total"]
    assert len(stored_fills(store)) == 25
