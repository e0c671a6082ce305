"""Reads a store as its users would."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import select

from quantconnect_provider.client.insights import Insight
from quantconnect_provider.harvest import Store
from quantconnect_provider.sandbox import RemoteSandbox
from quantconnect_provider.store.schema import deployments, harvests, insights
from tests.harvest.fake_api import FakeDeployment

FIELDS = [name for name in Insight.__struct_fields__ if name in insights.columns]


def rows_of(store: Store, table: Any, **equal: Any) -> list[dict[str, Any]]:
    with store.read() as connection:
        query = select(table).where(*(table.c[name] == value for name, value in equal.items()))
        return [dict(row._mapping) for row in connection.execute(query)]


def stored_insights(store: Store, deploy_id: str) -> dict[str, dict[str, Any]]:
    rows = rows_of(store, insights, deploy_id=deploy_id)
    found = {row["insight_id"]: row for row in rows}
    assert len(found) == len(rows), "an insight is stored twice"
    return found


def deployment_row(store: Store, deploy_id: str) -> dict[str, Any]:
    (row,) = rows_of(store, deployments, deploy_id=deploy_id)
    return row


def harvest_rows(store: Store, deploy_id: str) -> list[dict[str, Any]]:
    return sorted(rows_of(store, harvests, deploy_id=deploy_id), key=lambda row: row["started_at"])


def assert_holds(store: Store, deployment: FakeDeployment, *, positions: bool = True) -> None:
    """The store holds every insight that the API shows, where it stands; nothing else has a place."""
    stored = stored_insights(store, deployment.deploy_id)
    for position, insight in enumerate(deployment.served):
        if insight.insight_id in deployment.unreadable:
            continue
        row = stored.get(insight.insight_id)
        assert row is not None, f"the insight at {position} is missing"
        expected = {name: getattr(insight, name) for name in FIELDS}
        assert {name: row[name] for name in FIELDS} == expected
        if positions:
            assert row["position"] == position
    if positions and not deployment.unreadable:
        placed = [key for key, row in stored.items() if row["position"] is not None]
        assert len(placed) == len(deployment.served)


def assert_same(sandbox: RemoteSandbox, store: Store, deploy_id: str) -> None:
    """The store holds what the sandbox has, each insight once and where it stands."""
    truth = sandbox.insights(deploy_id)["rows"]
    stored = stored_insights(store, deploy_id)
    for position, row in enumerate(truth):
        kept = stored[row["insight_id"]]
        assert kept["position"] == position
        assert kept["closes_at"] == datetime.fromtimestamp(int(row["closes_at"]), timezone.utc)
        assert kept["symbol"] == row["symbol"]
    assert sum(row["position"] is not None for row in stored.values()) == len(truth)
