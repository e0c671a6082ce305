"""Whatever the algorithm, the API and the machine do: the store only gets better, and ends up right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from quantconnect_provider.client.errors import RateLimitedError, ServerError, UnreachableError
from quantconnect_provider.harvest import HarvestOptions, HarvestReport, Store, harvest
from quantconnect_provider.store.schema import insights as insights_table
from quantconnect_provider.store.schema import metadata
from tests.harvest.contents import assert_holds, rows_of, stored_insights
from tests.harvest.fake_api import NEVER, FakeApi

RESCORE = timedelta(days=7)
FAULTS = (RateLimitedError, ServerError, UnreachableError)


class Killed(BaseException):
    """The process ends here."""


class MortalStore(Store):
    """A store whose process is killed at a certain commit, just before or just after it."""

    commits_left: int | None = None
    after = False

    def _write(self, work: Any) -> Any:
        if self.commits_left is None:
            return super()._write(work)
        self.commits_left -= 1
        if self.commits_left >= 0:
            return super()._write(work)
        if self.after:
            super()._write(work)
        raise Killed


class HarvestMachine(RuleBasedStateMachine):
    """Runs harvests against an API that changes, swaps snapshots and fails in between."""

    url = ""

    @initialize(
        inclusive_end=st.booleans(),
        largest_window=st.sampled_from([100, 99]),
        past_end=st.sampled_from(["empty", "error", "clamp"]),
        length=st.sampled_from(["total", "page", "wrong", "none"]),
    )
    def begin(self, **behaviour: Any) -> None:
        self.api = FakeApi(**behaviour)
        self.store = MortalStore.open(self.url)
        with self.store.engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(delete(table))
        self.seen: set[str] = set()
        self.current = self.api.deploy()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    # What the algorithm and the API do. Snapshots are served later than they are made, by up to 15 minutes.

    @precondition(lambda self: self.current.stopped_at is None)
    @rule(count=st.integers(1, 330), minutes=st.sampled_from([1, 60, 60 * 24 * 3, 60 * 24 * 60]))
    def grow(self, count: int, minutes: int) -> None:
        self._unserved(lambda: self.api.emit(self.current, count, minutes))

    @precondition(lambda self: self.current.stopped_at is None)
    @rule(count=st.integers(1, 120))
    def grow_without_expiry(self, count: int) -> None:
        self._unserved(lambda: self.api.emit(self.current, count, never=True))

    @rule(data=st.data(), value=st.floats(-1, 1))
    def rescore(self, data: st.DataObject, value: float) -> None:
        open_rows = [index for index, row in enumerate(self.current.insights) if self._may_change(row)]
        if open_rows and self.current.stopped_at is None:
            index = data.draw(st.sampled_from(open_rows))
            closes_at = self.current.insights[index].closes_at
            final = data.draw(st.booleans()) and closes_at is not None and closes_at <= self.api.now
            self._unserved(lambda: self.api.score(self.current, index, value, final=final))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        rows = self.current.insights
        live = [
            index for index, row in enumerate(rows) if self._may_change(row) and row.closes_at > self.api.now
        ]
        if live and self.current.stopped_at is None:
            index = data.draw(st.sampled_from(live))
            closes_at = self.api.now - timedelta(seconds=1)
            rows[index] = msgspec.structs.replace(rows[index], closes_at=closes_at)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if self.current.insights and self.current.stopped_at is None:
            first = data.draw(st.integers(0, len(self.current.insights) - 1))
            del self.current.insights[first : first + data.draw(st.sampled_from([1, 3, 100, 250]))]

    @rule(data=st.data(), count=st.sampled_from([1, 2, 120]))
    def spoil(self, data: st.DataObject, count: int) -> None:
        """Rows that the API shows as null from now on, until they are restored."""
        rows = self.current.insights
        if rows:
            first = data.draw(st.integers(0, len(rows) - 1))
            self.current.unreadable |= {row.insight_id for row in rows[first : first + count]}

    @rule()
    def restore(self) -> None:
        """Every row can be read again; the full pass that follows finds them."""
        spoiled = [one for one in self.api.deployments.values() if one.unreadable]
        for deployment in spoiled:
            deployment.unreadable.clear()
        if spoiled:
            self.harvest(full=True, in_flight=1)

    @rule()
    def flush(self) -> None:
        for deployment in self.api.deployments.values():
            self.api.snapshot(deployment)

    @rule(days=st.sampled_from([0.01, 0.1, 1, 3, 8, 31]))
    def wait(self, days: float) -> None:
        """Time passes, and with more than 14 minutes of it every snapshot is served."""
        self.api.now += timedelta(days=days)
        self.flush()

    @rule(status=st.sampled_from(["Stopped", "RuntimeError"]))
    def stop(self, status: str) -> None:
        if self.current.stopped_at is None:
            self.api.stop(self.current, status)

    @rule(reset=st.booleans())
    def restart(self, reset: bool) -> None:
        if self.current.status == "RuntimeError":
            self.current.status, self.current.stopped_at = "Running", None
            if reset:
                self.current.insights.clear()

    @precondition(lambda self: len(self.api.deployments) < 4)
    @rule(same_project=st.booleans())
    def redeploy(self, same_project: bool) -> None:
        self.stop("Stopped")
        self.current = self.api.deploy(1 if same_project else 2)

    # What the harvest and its machine do.

    @rule(full=st.booleans(), in_flight=st.sampled_from([1, 4]))
    def harvest(self, full: bool, in_flight: int) -> None:
        report = self._harvest(full=full, in_flight=in_flight)
        report.raise_if_failed()
        for deployment in self.api.deployments.values():
            assert_holds(self.store, deployment)

    @rule(at=st.integers(0, 6))
    def harvest_while_the_snapshot_is_swapped(self, at: int) -> None:
        self._at_request(at, self.flush)
        self._harvest()

    @rule(at=st.integers(0, 6), fault=st.sampled_from(FAULTS))
    def harvest_with_a_fault(self, at: int, fault: type[Exception]) -> None:
        def fail() -> None:
            raise fault("something is wrong")

        self._at_request(at, fail)
        self._harvest()

    @rule(at=st.integers(0, 4), after=st.booleans())
    def harvest_and_be_killed(self, at: int, after: bool) -> None:
        self.store.commits_left, self.store.after = at, after
        try:
            self._harvest()
        except Killed:
            pass
        finally:
            self.store.commits_left = None

    @rule(at=st.integers(0, 4), wait=st.booleans())
    def harvest_while_another_one_runs(self, at: int, wait: bool) -> None:
        def another() -> None:
            self.flush()
            if wait:
                self.api.now += timedelta(minutes=5)
            with Store.open(self.url) as store:
                self._harvest(store)

        self._at_request(at, another)
        self._harvest()

    @invariant()
    def nothing_that_was_stored_is_lost(self) -> None:
        if hasattr(self, "store"):
            stored = {row["insight_id"] for row in rows_of(self.store, insights_table)}
            assert self.seen <= stored
            self.seen = stored

    @invariant()
    def no_two_insights_stand_in_one_place(self) -> None:
        for deploy_id in getattr(self, "api", FakeApi()).deployments:
            places = [row["position"] for row in stored_insights(self.store, deploy_id).values()]
            placed = [place for place in places if place is not None]
            assert len(placed) == len(set(placed))

    def _harvest(self, store: Store | None = None, **wanted: Any) -> HarvestReport:
        chosen = HarvestOptions(**{"commit_rows": 150, "in_flight": 1, **wanted})
        try:
            return harvest(self.api, store or self.store, self.api.list_live(), chosen, clock=self.api.clock)
        finally:
            self.api.before_answer = lambda number: None

    def _at_request(self, at: int, act: Any) -> None:
        first = len(self.api.requests)

        def before_answer(number: int) -> None:
            if number == first + at:
                self.api.before_answer = lambda number: None
                act()

        self.api.before_answer = before_answer

    def _unserved(self, change: Any) -> None:
        served = list(self.current.served)
        change()
        self.current.served = served

    def _may_change(self, row: Any, *, closed: bool = True) -> bool:
        if row.score_is_final or (not closed and row.closes_at <= self.api.now):
            return False
        if row.closes_at == NEVER:
            return bool(row.generated_at + RESCORE > self.api.now)
        return bool(row.closes_at + RESCORE > self.api.now)


def test_the_store_ends_up_as_the_model(store_url: str) -> None:
    machine = type("Machine", (HarvestMachine,), {"url": store_url})
    run = settings(
        max_examples=30,
        stateful_step_count=20,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=run)
