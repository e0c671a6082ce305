"""Commits of a harvest that does not follow from what is stored: refused, and nothing of them is kept."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from quantconnect_provider.harvest import Store
from quantconnect_provider.store.commit_unit import CommitUnit, HarvestRecord, RowRun
from tests.harvest.contents import deployment_row, stored_insights
from tests.harvest.fake_api import FakeApi
from tests.harvest.nights import night

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
OTHER = "f" * 32


@pytest.mark.parametrize(
    "run",
    [
        RowRun(start=21, ids=[OTHER]),
        RowRun(start=20, anchor_id=OTHER, ids=[OTHER]),
        RowRun(start=500, anchor_id=OTHER),
    ],
    ids=["a gap", "after another row", "far away"],
)
def test_rows_that_do_not_follow_are_refused(run: RowRun, api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    api.emit(deployment, 20)
    night(api, store)
    record = HarvestRecord(1, deployment.deploy_id, "late", started_at=NOON)
    (result,) = store.commit([CommitUnit(record, [run])])
    assert not result.applied
    assert len(stored_insights(store, deployment.deploy_id)) == 20
    assert deployment_row(store, deployment.deploy_id)["last_position"] == 19
