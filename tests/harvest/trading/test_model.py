"""Random nights against a model of the API: at the end the store holds what the algorithms did, once each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from quantconnect_provider.harvest import Store
from quantconnect_provider.harvest.trading.engine import harvest_trading
from quantconnect_provider.harvest.trading.options import TradingOptions
from quantconnect_provider.store.events import list_open_events
from quantconnect_provider.store.schema import deployments
from quantconnect_provider.store.trading_tables import fills, orders, trades
from quantconnect_provider.store.watch_tables import events
from tests.harvest.trading.contents import (
    stored_fills,
    stored_orders,
    stored_trades,
    true_fills,
    true_orders,
    true_trades,
)
from tests.harvest.trading.fake_trading import FakeDeployment, FakeTrading

READINGS = st.fixed_dictionaries(
    {
        "widest": st.sampled_from([7, 20]),
        "cap": st.sampled_from([3, 10**9]),
        "past_end": st.sampled_from(["empty", "error", "clamp"]),
        "length": st.sampled_from(["total", "page", "none"]),
    }
).filter(lambda reading: reading["cap"] > 3 or reading["length"] == "total")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.integers(0, 1), st.integers(1, 9)),
        st.tuples(st.just("place"), st.integers(0, 1), st.booleans()),
        st.tuples(st.sampled_from(["fill", "part", "cancel"]), st.integers(0, 1), st.integers(0, 99)),
        st.tuples(st.sampled_from(["redeploy", "trade", "freeze", "thaw"]), st.integers(0, 1), st.just(0)),
        st.tuples(st.sampled_from(["night", "killed", "two"]), st.integers(0, 5), st.just(0)),
    ),
    max_size=25,
)


BETWEEN_NIGHTS = timedelta(minutes=15)


class Killed(BaseException):
    """The process is gone."""


class World:
    """Two projects, whose deployments may be served from a snapshot that is frozen."""

    def __init__(self, reading: dict[str, Any], store: Store) -> None:
        self.api = FakeTrading(**reading)
        self.store = store
        self.running = [self.api.deploy(project_id) for project_id in (1, 2)]
        self.frozen: dict[str, list[Any]] = {}

    def step(self, kind: str, which: int, number: Any) -> None:
        self._trade(kind, which, number)
        for one in self.api.deployments:
            # A stopped deployment is shown as it ended within the flush lag.
            if one.stopped_at and self.api.now - one.stopped_at >= BETWEEN_NIGHTS:
                self.frozen.pop(one.deploy_id, None)
            if one.deploy_id in self.frozen:
                one.served = self.frozen[one.deploy_id]
            else:
                self.api.serve(one)
        for _ in range({"night": 1, "killed": 1, "two": 2}.get(kind, 0)):
            self.night(killed_at=which if kind == "killed" else None)

    def _trade(self, kind: str, which: int, number: Any) -> None:
        api, deployment = self.api, self.running[which % 2]
        opened = [order["id"] for order in deployment.orders if order["status"] in (0, 1, 2)]
        if kind == "buy":
            api.buy(deployment, number, quantity=10 if number % 2 else -10)
        elif kind == "place":
            api.place(deployment, 10, events=number)
        elif kind in ("fill", "part", "cancel") and opened:
            self._change(kind, deployment, opened[number % len(opened)])
        elif kind == "redeploy":
            self._give_events(deployment)
            api.stop(deployment)
            self.running[which % 2] = api.deploy(deployment.project_id)
        elif kind == "trade":
            api.close_trade(deployment)
        elif kind == "freeze":
            self.frozen.setdefault(deployment.deploy_id, list(deployment.served))
        elif kind == "thaw":
            self.frozen.clear()

    def _change(self, kind: str, deployment: FakeDeployment, number: int) -> None:
        filled = sum(event["fillQuantity"] for event in deployment.orders[number - 1]["events"])
        left = deployment.orders[number - 1]["quantity"] - filled
        if kind == "cancel":
            self.api.cancel(deployment, number)
        else:
            self.api.fill(deployment, number, left if kind == "fill" else left / 2, price=100.0 + number)

    def _give_events(self, deployment: FakeDeployment) -> None:
        for order in deployment.orders:
            if not order["events"]:
                self.api.cancel(deployment, order["id"])

    def night(self, killed_at: int | None = None) -> None:
        api = self.api
        api.now += BETWEEN_NIGHTS
        first = len(api.requests)

        def kill(request: int) -> None:
            if killed_at is not None and request >= first + killed_at:
                raise Killed

        api.before_answer = kill
        try:
            options = TradingOptions(loading_seconds=0, window=20, narrow_window=7)
            harvest_trading(api, self.store, api.list_live(), options, clock=api.clock, sleep=api.sleep)
        except Killed:
            pass
        finally:
            api.before_answer = lambda request: None

    def settle(self) -> None:
        """Show everything as it is, and let two nights pass."""
        self.frozen.clear()
        for deployment in self.running:
            self._give_events(deployment)
        self.step("thaw", 0, 0)
        self.night()
        self.night()


@contextmanager
def emptied(store: Store) -> Iterator[Store]:
    with store.engine.begin() as connection:
        for table in (orders, fills, trades, deployments, events):
            connection.execute(delete(table))
    yield store


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reading=READINGS, steps=STEPS)
def test_the_store_ends_with_what_was_traded(
    store: Store, reading: dict[str, Any], steps: list[tuple[str, int, Any]]
) -> None:
    with emptied(store):
        world = World(reading, store)
        for step in steps:
            world.step(*step)
        world.settle()
        assert stored_orders(store) == true_orders(world.api)
        assert stored_fills(store) == true_fills(world.api)
        assert stored_trades(store) == true_trades(world.api)
        assert list_open_events(store) == []
