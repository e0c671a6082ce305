"""A real process, killed with SIGKILL at random points of publishing, 20 times; then one run."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from upath import UPath

from quantconnect_provider.harvest import Store
from quantconnect_provider.publish import publication, publish
from quantconnect_provider.store.schema import insights
from tests.publish.rows import insight, published, put, remove, stored
from tests.victims import Victims

KILLS = 20


def victim(store_url: str, folder: str, began: Any) -> None:
    """Publish in small steps, saying when it begins."""
    publication._FILES_AT_ONCE = 1
    with Store.open(store_url) as store:
        began.set()
        publish(store, UPath(folder), ["insights"])


def test_runs_that_are_killed_leave_nothing_doubled_and_nothing_missing(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    chance = random.Random(5)
    folder = tmp_path / "lake"
    victims = Victims(chance, lasts_seconds=0.3)
    for _ in range(KILLS):
        put(store, insights, *(insight(day, chance.randrange(4), confidence=chance.random())
                               for day in chance.choices(range(200), k=40)))  # fmt: skip
        remove(store, *chance.choices(range(200), k=5))
        victims.kill_one(victim, store_url, str(folder))
        keys = [(row["project_id"], row["insight_id"]) for row in published(folder)]
        assert len(keys) == len(set(keys))
    assert victims.hits >= KILLS // 3
    publish(store, UPath(folder), ["insights"])
    assert [essence(row) for row in published(folder)] == [essence(row) for row in stored(store)]
    assert list(folder.rglob("*.tmp")) == []
    assert publish(store, UPath(folder), ["insights"]).counts()["written"] == 0


def essence(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["project_id"], row["insight_id"], row["confidence"], row["generated_at"]
