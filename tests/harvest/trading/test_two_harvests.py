"""Several harvests of the same projects at once: the later answer wins, whole, and none waits in a circle."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, make_url, text

from dev.processes import wait_until
from quantconnect_provider.client.orders import OrderPage
from quantconnect_provider.harvest import Store
from quantconnect_provider.harvest.trading.engine import harvest_trading
from quantconnect_provider.harvest.trading.options import TradingOptions
from quantconnect_provider.harvest.trading.rows import position_rows
from quantconnect_provider.store import trading
from quantconnect_provider.store.trading_tables import positions
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
from tests.harvest.trading.fake_trading import SPY, START, FakeTrading, holding, portfolio
from tests.store.fixtures import new_database

AAPL = "AAPL R735QTJ8XC9X"
AT_ONCE = 4


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    with new_database(make_url(postgres_server), postgres_template) as address:
        yield address


def test_an_order_that_another_harvest_stored_meanwhile_keeps_its_position(
    api: FakeTrading, night: Night, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = api.deploy()
    api.buy(deployment, 3)
    read = api.read_orders

    def another_harvests_before_the_answer_is_stored(*window: int) -> OrderPage:
        page = read(*window)
        monkeypatch.setattr(api, "read_orders", read)
        api.buy(deployment)
        night(api)
        return page

    monkeypatch.setattr(api, "read_orders", another_harvests_before_the_answer_is_stored)
    night(api)
    assert stored_orders(store) == true_orders(api)


@pytest.mark.parametrize("later_first", [True, False])
def test_positions_are_those_of_one_answer(api: FakeTrading, postgres_url: str, later_first: bool) -> None:
    earlier, later = START, START + timedelta(seconds=1)
    held = {
        earlier: portfolio(100.0, holding(SPY, 3, 500.0)),
        later: portfolio(50.0, holding(AAPL, 5, 200.0)),
    }

    def save(at: datetime) -> None:
        with Store.open(postgres_url) as store:
            rows = list(position_rows(held[at], 1, "L-1", at))
            trading.replace_positions(store, 1, rows, at)

    api.deploy(project_id=1)
    with Store.open(postgres_url) as store:
        store.save_deployments(api.list_live(), START)
        first, second = (later, earlier) if later_first else (earlier, later)
        rows = list(position_rows(held[first], 1, "L-1", first))
        with while_in(store, "DELETE FROM quantconnect_positions", lambda: save(second)):
            trading.replace_positions(store, 1, rows, first)
        assert stored(store, positions, "symbol", "quantity") == [(AAPL, 5.0), ("USD", 50.0)]


@contextmanager
def while_in(store: Store, statement: str, work: Callable[[], None]) -> Iterator[None]:
    """Do *work* just before *store* executes *statement*, until it is done or waits for a lock."""
    thread = threading.Thread(target=work)

    def interrupt(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if sql.startswith(statement) and thread.ident is None:
            thread.start()
            assert wait_until(lambda: not thread.is_alive() or waits_for_a_lock(store), 20)

    event.listen(store.engine, "before_cursor_execute", interrupt)
    yield
    event.remove(store.engine, "before_cursor_execute", interrupt)
    thread.join(20)
    assert not thread.is_alive()


def waits_for_a_lock(store: Store) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with store.read() as connection:
        return connection.execute(text(query)).first() is not None


def test_many_harvests_at_once_store_everything_once_and_never_wait_in_a_circle(
    api: FakeTrading, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each begins at another project, as batches do whose task was given to a second worker."""
    for project_id in (1, 2, 3):
        for _ in range(2):
            deployment = api.deploy(project_id)
            api.buy(deployment, 30)
            for _ in range(5):
                api.close_trade(deployment)
    listed = api.list_live()
    start = threading.Barrier(AT_ONCE)

    def harvest(number: int) -> None:
        options = TradingOptions(full=True, loading_seconds=0, window=7, narrow_window=7)
        targets = [*listed[number:], *listed[:number]]
        with Store.open(store_url) as store:
            start.wait(20)
            for _ in range(3):
                report = harvest_trading(api, store, targets, options, clock=api.clock, sleep=api.sleep)
                report.raise_if_failed()

    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(harvest, range(AT_ONCE)))
    assert [record.message for record in caplog.records if "trying again" in record.message] == []
    with Store.open(store_url) as store:
        assert stored_orders(store) == true_orders(api)
        assert stored_fills(store) == true_fills(api)
        assert stored_trades(store) == true_trades(api)
