"""Scorecards of 1,000,000 insights: computed in full, and again after a night in which 500 changed.

The ratio is the time of the full computation over that of the other. On SQLite, which works in this process,
the full one must take less than 20 s of the processor, and the other less than 1 s.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from sqlalchemy import bindparam, func, insert, select, update

from benchmarks.stores import databases, wanted_kind
from quantconnect_provider.scorecard.compute import compute_scorecards
from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import deployments, insights

COUNT = 1_000_000
CHANGED = 500
PROJECTS, MODELS, TICKERS = 100, 2, 50
FULL_SECONDS, INCREMENTAL_SECONDS = 20.0, 1.0
_STORED_AT_A_TIME = 20_000
_SEEN = datetime(2026, 3, 2, 21, tzinfo=timezone.utc)


def fill(store: Store) -> None:
    """Store the insights: each project has models that predict the same tickers every day."""
    draw = random.Random(1)
    projects = [
        {"deploy_id": f"L-{project:032x}", "project_id": project + 1, "observed_at": _SEEN}
        for project in range(PROJECTS)
    ]
    store.write(lambda connection: connection.execute(insert(deployments), projects))
    for first in range(0, COUNT, _STORED_AT_A_TIME):
        rows = [_row(number, draw) for number in range(first, first + _STORED_AT_A_TIME)]
        store.write(lambda connection, rows=rows: connection.execute(insert(insights), rows))


def _row(number: int, draw: random.Random) -> dict[str, object]:
    project, rest = number % PROJECTS, number // PROJECTS
    model, ticker = rest % MODELS, rest // MODELS % TICKERS
    generated = datetime(2025, 1, 1, 21, tzinfo=timezone.utc) + timedelta(days=rest // MODELS // TICKERS)
    reference = draw.uniform(20, 900)
    return {
        "project_id": project + 1,
        "insight_id": f"{draw.getrandbits(128):032x}",
        "deploy_id": f"L-{project:032x}",
        "position": rest,
        "generated_at": generated,
        "closes_at": generated + timedelta(days=1),
        "symbol": f"T{ticker} R735QTJ8XC9X",
        "ticker": f"T{ticker}",
        "insight_type": "price",
        "direction": draw.choice(("up", "down", "flat")),
        "period_seconds": 86400.0,
        "magnitude": draw.uniform(0.001, 0.1),
        "confidence": draw.random(),
        "reference_value": reference,
        "reference_value_final": reference * draw.uniform(0.9, 1.1),
        "score_is_final": True,
        "score_direction": float(draw.random() < 0.5),
        "source_model": f"ConstantAlphaModel(Price,Up,{model + 1}.00:00:00,0.1,0.2)",
        "extra": {},
        "first_seen_at": _SEEN,
        "observed_at": _SEEN,
    }


def change(store: Store) -> None:
    """Score insights of all projects anew, as the next night's harvest finds them."""
    with store.read() as connection:
        keys = connection.execute(
            select(insights.c.project_id, insights.c.insight_id).order_by(func.random()).limit(CHANGED)
        ).all()
    statement = (
        update(insights)
        .where(insights.c.project_id == bindparam("project"), insights.c.insight_id == bindparam("insight"))
        .values(score_direction=1.0, observed_at=_SEEN + timedelta(days=1))
    )
    rows = [{"project": project, "insight": insight} for project, insight in keys]
    store.write(lambda connection: connection.execute(statement, rows))


@dataclass(frozen=True)
class Seconds:
    """How long a computation took, by the clock and on this process's processor."""

    clock: float
    processor: float


def computed(store: Store, what: str) -> Seconds:
    """Compute the scorecards and print how long it took."""
    began, processor = time.perf_counter(), time.process_time()
    report = compute_scorecards(store)
    took = Seconds(time.perf_counter() - began, time.process_time() - processor)
    read = f"{len(report.cards):,} scorecards from {report.insights:,} insights"
    print(f"{what}: {read}, {took.clock:.2f} s ({took.processor:.2f} s of the processor)")
    return took


def main() -> None:
    """Fill a store, compute, change, compute."""
    kind = wanted_kind(__doc__)
    with databases(kind) as addresses, Store.open(next(addresses)) as store:
        fill(store)
        full = computed(store, "full")
        change(store)
        incremental = computed(store, f"after {CHANGED} changed")
        if kind == "sqlite":
            assert full.processor < FULL_SECONDS
            assert incremental.processor < INCREMENTAL_SECONDS
        ratio = full.clock / incremental.clock
        print(f"ratio: {ratio:.1f} times faster after {CHANGED} changed than in full, on {kind}")


if __name__ == "__main__":
    main()
