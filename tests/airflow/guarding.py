"""Fixtures for tests of guards: policies, and the DAGs that guards trigger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import delete, select, update

from quantconnect_provider.dag_support import guards
from tests.docs.pages import ROOT

REDEPLOY = {"event": "died", "action": "redeploy", "projects": [1002], "deploy": {}, "backoff_seconds": 0}
LIQUIDATE = {"event": "drawdown", "action": "liquidate", "projects": "all"}


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def define(*entries: dict[str, Any]) -> None:
        monkeypatch.setenv("AIRFLOW__QUANTCONNECT__POLICIES", json.dumps(entries))

    return define


@pytest.fixture(scope="module")
def shipped_dags(database: None) -> None:
    """The DAGs that guards trigger are known to Airflow."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(str(ROOT / "dags")), "shipped", None)


@pytest.fixture
def target_dags(shipped_dags: None) -> Iterator[None]:
    """They are not paused, and have no runs of guards."""
    for dag_id in guards.DAG_OF_ACTION.values():
        pause(dag_id, False)
    yield
    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.run_id.like("guard%")))


def pause(dag_id: str, paused: bool) -> None:
    from airflow.models.dag import DagModel

    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id == dag_id).values(is_paused=paused))


def triggered() -> dict[str, tuple[str, dict[str, Any]]]:
    with create_session() as session:
        rows = session.scalars(select(DagRun).where(DagRun.run_id.like("guard%")))
        return {row.run_id: (row.dag_id, row.conf) for row in rows}
