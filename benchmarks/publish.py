"""Publishes 1,000,000 insights of 10 projects and 12 months as Parquet, then again after 500 have changed.

Prints how many times more rows the full publication writes than the incremental one; to be at least 10.
"""

from __future__ import annotations

import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update
from upath import UPath

from benchmarks.memory import memory
from benchmarks.stores import databases, wanted_kind
from quantconnect_provider.harvest import Store
from quantconnect_provider.publish import PublishReport, publish
from quantconnect_provider.store.schema import insights

COUNT = 1_000_000
PROJECTS = 10
CHANGED = 500
FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)
APART = timedelta(days=365) / COUNT


def rows() -> Iterator[dict[str, Any]]:
    """Yield insights over a year, the projects in turn."""
    for number in range(COUNT):
        at = FIRST + number * APART
        yield {
            "project_id": number % PROJECTS + 1,
            "insight_id": f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128):032x}",
            "deploy_id": f"L-{number % PROJECTS:032x}",
            "position": number // PROJECTS,
            "generated_at": at,
            "closes_at": at + timedelta(days=1),
            "symbol": "SPY R735QTJ8XC9X",
            "ticker": "SPY",
            "insight_type": "price",
            "direction": random.choice(("up", "flat", "down")),
            "period_seconds": 86_400.0,
            "confidence": random.random(),
            "reference_value": 500 + random.random(),
            "score_is_final": False,
            "source_model": "EmaCrossAlphaModel",
            "extra": {},
            "first_seen_at": at,
            "observed_at": at,
        }


def fill(store: Store) -> None:
    """Store them."""
    source = rows()
    while batch := list(itertools.islice(source, 10_000)):
        store.write(lambda connection, batch=batch: connection.execute(insert(insights), batch))


def timed(title: str, store: Store, folder: str) -> PublishReport:
    """Publish, and print what it took."""
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    start, began = memory("VmRSS"), time.perf_counter()
    report = publish(store, UPath(folder), ["insights"])
    seconds, above = time.perf_counter() - began, memory("VmHWM") - start
    done = report.counts()
    print(
        f"{title}: {done['written']} of {done['files']} files, {done['rows']:,} rows, "
        f"{done['bytes'] / 1e6:.1f} MB, {seconds:.1f} s, {above:.0f} MiB above the start"
    )
    return report


def main() -> None:
    """Publish all, then what has changed, then nothing."""
    kind = wanted_kind(__doc__)
    with (
        databases(kind) as addresses,
        Store.open(next(addresses)) as store,
        tempfile.TemporaryDirectory() as folder,
    ):
        fill(store)
        full = timed(f"all, from {kind}", store, folder)
        assert full.counts()["rows"] == COUNT
        last = FIRST + (COUNT - CHANGED) * APART
        final = update(insights).where(insights.c.generated_at >= last).values(score_is_final=True)
        changed = store.write(lambda connection: connection.execute(final).rowcount)
        assert changed == CHANGED
        incremental = timed(f"after {CHANGED} have changed", store, folder)
        assert incremental.counts()["written"] == PROJECTS
        nothing = timed("after nothing has changed", store, folder)
        assert nothing.counts()["written"] == 0
        ratio = COUNT / incremental.counts()["rows"]
        print(f"ratio: {ratio:.1f} times fewer rows written (to be at least 10)")
        assert ratio >= 10


if __name__ == "__main__":
    main()
