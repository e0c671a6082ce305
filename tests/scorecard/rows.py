"""Insights as the harvest stores them, written by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select

from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import deployments, harvests, insights
from quantconnect_provider.store.scorecard_tables import scorecards

T0 = datetime(2026, 3, 2, 21, tzinfo=timezone.utc)
DAY = 86400.0


def insight(**given: Any) -> dict[str, Any]:
    """A row that says: up for a day, seen after it closed, not scored."""
    row: dict[str, Any] = {
        "project_id": 1,
        "insight_id": uuid4().hex,
        "deploy_id": "L-1",
        "position": 0,
        "generated_at": T0 - timedelta(days=2),
        "closes_at": T0 - timedelta(days=1),
        "symbol": "SPY R735QTJ8XC9X",
        "ticker": "SPY",
        "insight_type": "price",
        "direction": "up",
        "period_seconds": DAY,
        "magnitude": None,
        "confidence": None,
        "weight": None,
        "reference_value": 100.0,
        "reference_value_final": None,
        "score_is_final": False,
        "score_direction": 0.0,
        "score_magnitude": 0.0,
        "estimated_value": 0.0,
        "source_model": "EmaCross",
        "group_id": None,
        "tag": None,
        "extra": {},
        "first_seen_at": T0,
        "observed_at": T0,
    }
    assert not given.keys() - row.keys()
    return {**row, **given}


def keep(store: Store, *rows: dict[str, Any]) -> None:
    store.write(lambda connection: connection.execute(insert(insights), list(rows)))


def deployed(store: Store, project_id: int) -> None:
    row = {"deploy_id": f"L-{project_id}", "project_id": project_id, "observed_at": T0}
    store.write(lambda connection: connection.execute(insert(deployments), [row]))


def harvested(store: Store, started_at: datetime, project_id: int = 1) -> None:
    """Add the record of a harvest that has committed once."""
    row = {
        "harvest_id": uuid4().hex, "project_id": project_id, "deploy_id": f"L-{project_id}",
        "started_at": started_at, "requests": 1, "read": 1, "inserted": 0, "updated": 0,
        "status": "failed", "commits": 1,
    }  # fmt: skip
    store.write(lambda connection: connection.execute(insert(harvests), [row]))


def cards(store: Store) -> list[dict[str, Any]]:
    with store.read() as connection:
        return [dict(row._mapping) for row in connection.execute(select(scorecards))]


def figures(store: Store) -> dict[tuple[Any, ...], dict[str, Any]]:
    """All scorecards by their key, without the time of computing."""
    found = {}
    for card in cards(store):
        key = tuple(card.pop(name) for name in ("project_id", "source_model", "ticker", "horizon"))
        card.pop("computed_at")
        found[key] = card
    return found
