"""After any sequence of changes, computing what changed gives what computing everything gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from quantconnect_provider.scorecard.compute import compute_scorecards
from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import deployments, harvests, insights
from quantconnect_provider.store.scorecard_tables import scorecard_progress, scorecards
from tests.scorecard.rows import DAY, T0, figures, harvested, insight, keep

PROJECTS = (1, 2)
VALUES = st.one_of(
    st.sampled_from([None, 0.0, 90.0, 110.0, math.nan, math.inf, 1.7e308, -1.7e308, 5e-324]), st.floats()
)
# Of possible prices only such that the order of summing hardly matters.
PRICES = st.one_of(
    st.sampled_from([None, 0.0, 90.0, 110.0, math.nan, -math.inf, 1.7e308]), st.floats(50, 200)
)
TEXTS = st.sampled_from([None, "", "SPY", "spy", "Ü" * 300, "'; --", "a\u0000b"])
NAMES = {"ticker": TEXTS, "source_model": TEXTS}
RATED: dict[str, st.SearchStrategy[Any]] = {
    "direction": st.sampled_from(["up", "down", "flat", "Up", "sideways", "", None]),
    "period_seconds": st.one_of(st.sampled_from([None, 3600.0, DAY]), st.floats()),
    "closes_at": st.one_of(
        st.none(), st.integers(-60, 60).map(lambda minutes: T0 + timedelta(minutes=minutes))
    ),
    "magnitude": VALUES,
    "confidence": st.one_of(VALUES, st.floats(0, 1)),
    "reference_value": PRICES,
    "reference_value_final": PRICES,
    "score_is_final": st.sampled_from([True, False, None]),
    "score_direction": VALUES,
}
# When a harvest began, when it read, in minutes: any order, as by slow harvests and clocks that are set back.
TIMES = st.tuples(st.integers(-60, 60), st.integers(0, 60)).map(
    lambda minutes: (T0 + timedelta(minutes=minutes[0]), T0 + timedelta(minutes=sum(minutes)))
)
PROJECT = st.sampled_from(PROJECTS)


@dataclass
class World:
    """A store, and the insights that were put into it."""

    store: Store
    keys: list[tuple[int, str]] = field(default_factory=list)

    def insert(
        self, project_id: int, times: tuple[datetime, datetime], contents: list[dict[str, Any]]
    ) -> None:
        began, read = times
        rows = [
            insight(project_id=project_id, deploy_id=f"L-{project_id}", observed_at=read, **content)
            for content in contents
        ]
        self.keys += [(project_id, row["insight_id"]) for row in rows]
        keep(self.store, *rows)
        harvested(self.store, began, project_id)

    def change(self, place: int, times: tuple[datetime, datetime], content: dict[str, Any]) -> None:
        if self.keys:
            project_id, insight_id = self.keys[place % len(self.keys)]
            of_insight = (insights.c.project_id == project_id, insights.c.insight_id == insight_id)
            began, read = times
            self._write(update(insights).where(*of_insight).values(**content, observed_at=read))
            harvested(self.store, began, project_id)

    def delete_insight(self, place: int) -> None:
        if self.keys:
            project_id, insight_id = self.keys.pop(place % len(self.keys))
            self._write(
                delete(insights).where(
                    insights.c.project_id == project_id, insights.c.insight_id == insight_id
                )
            )

    def delete_deployment(self, project_id: int) -> None:
        for table in (insights, deployments):
            self._write(delete(table).where(table.c.deploy_id == f"L-{project_id}"))
        self.keys = [key for key in self.keys if key[0] != project_id]

    def delete_project(self, project_id: int) -> None:
        self.delete_deployment(project_id)
        self._write(delete(harvests).where(harvests.c.project_id == project_id))

    def compute(self) -> None:
        compute_scorecards(self.store)

    def empty(self) -> None:
        for table in (insights, deployments, harvests, scorecards, scorecard_progress):
            self._write(delete(table))

    def _write(self, statement: Any) -> None:
        self.store.write(lambda connection: connection.execute(statement))


def step(name: str, *given: st.SearchStrategy[Any]) -> st.SearchStrategy[Callable[[World], None]]:
    return st.tuples(*given).map(lambda values: lambda world: getattr(world, name)(*values))


SCORE = {"score_is_final": st.just(True), "score_direction": st.sampled_from([0.0, 1.0])}
CONTENTS = st.lists(st.fixed_dictionaries({}, optional=NAMES | RATED), min_size=1, max_size=8)
STEPS = st.one_of(
    step("insert", PROJECT, TIMES, CONTENTS),
    step("change", st.integers(0, 50), TIMES, st.fixed_dictionaries(SCORE)),
    step("change", st.integers(0, 50), TIMES, st.fixed_dictionaries({}, optional=NAMES | RATED)),
    step("delete_insight", st.integers(0, 50)),
    step("delete_deployment", PROJECT),
    step("delete_project", PROJECT),
    step("compute"),
)


def same(one: Any, other: Any) -> bool:
    """Whether the figures are the same, though the database has summed in another order."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=CONTENTS, steps=st.lists(STEPS, max_size=10))
def test_computing_what_changed_gives_what_computing_everything_gives(
    store: Store, first: list[dict[str, Any]], steps: list[Callable[[World], None]]
) -> None:
    world = World(store)
    world.empty()
    world.insert(1, (T0, T0), first)
    world.compute()
    for take in steps:
        take(world)
    world.compute()

    found = figures(store)
    compute_scorecards(store, full=True)
    expected = figures(store)
    assert found.keys() == expected.keys()
    assert [key for key in found if not same(found[key], expected[key])] == []
    with store.read() as connection:
        assert len(connection.execute(select(insights.c.insight_id)).all()) == sum(
            card["insights"] for card in found.values()
        )
