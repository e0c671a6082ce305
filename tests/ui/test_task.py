"""The tab of a task: which deployments it is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import harvests
from quantconnect_provider.ui.task_deployments import Named
from tests.ui import seed

ETF, PAIRS, CRYPTO = (seed.deploy_id_of(11000001 + index) for index in range(3))


@pytest.mark.parametrize(
    ("value", "deploy_ids", "project_ids"),
    [
        ({"deploy_id": "L-1", "project_id": 1}, ["L-1"], [1]),
        ({"project_ids": [1, 2, 2]}, [], [1, 2]),
        ({"deploy_id": None, "project_id": "1"}, [], []),
        ({"deploy_id": 5, "project_ids": "all"}, [], []),
        ({}, [], []),
    ],
)
def test_what_an_object_names(value: Any, deploy_ids: list[str], project_ids: list[int]) -> None:
    named = Named()
    named.add(value)
    assert (named.deploy_ids, named.project_ids) == (deploy_ids, project_ids)


@pytest.fixture
def run(airflow_app: Any) -> str:
    """A run in Airflow's database that was asked for projects, and XComs of its tasks."""
    from airflow.models.dagrun import DagRun
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType
    from sqlalchemy import text

    with create_session() as session:
        session.execute(text("PRAGMA foreign_keys = OFF"))
        run = DagRun(
            dag_id="shown",
            run_id="r",
            run_type=DagRunType.MANUAL,
            conf={"project_ids": [11000001, 11000003]},
        )
        session.add(run)
        session.flush()
        values = {
            -1: {"deploy_id": PAIRS, "project_id": 11000002},
            0: ["no object", {"deploy_id": CRYPTO}],
            1: "no JSON",
        }
        for map_index, value in values.items():
            session.add(
                XComModel(
                    key="return_value",
                    value=value if value == "no JSON" else json.loads(json.dumps(value)),
                    dag_id="shown",
                    run_id="r",
                    dag_run_id=run.id,
                    task_id="deploy",
                    map_index=map_index,
                )
            )
    return "r"


def shown(viewer: Any, task_id: str, map_index: str) -> list[str]:
    answer = viewer.get(
        "/quantconnect/api/task",
        params={"dag_id": "shown", "run_id": "r", "task_id": task_id, "map_index": map_index},
    )
    assert answer.status_code == 200, answer.text
    return [row["deploy_id"] for row in answer.json()]


def test_a_task_shows_what_its_xcoms_name_and_else_what_its_run_was_asked_for(viewer: Any, run: str) -> None:
    assert shown(viewer, "deploy", "{MAP_INDEX}") == [PAIRS]
    assert shown(viewer, "deploy", "0") == [CRYPTO]
    assert shown(viewer, "deploy", "1") == [ETF, CRYPTO]
    assert shown(viewer, "not started", "-1") == [ETF, CRYPTO]


def test_a_harvest_without_a_name_shows_what_it_harvested(viewer: Any, store: Store) -> None:
    with store.engine.begin() as connection:
        [harvest_id] = connection.scalars(
            select(harvests.c.harvest_id).where(harvests.c.deploy_id == PAIRS).limit(1)
        )
        connection.execute(
            update(harvests).where(harvests.c.harvest_id == harvest_id).values(run_id="nightly")
        )
    asked = {"dag_id": "quantconnect_harvest_insights", "run_id": "nightly", "task_id": "extract"}
    answer = viewer.get("/quantconnect/api/task", params=asked)
    assert [row["deploy_id"] for row in answer.json()] == [PAIRS]
    other = viewer.get("/quantconnect/api/task", params={**asked, "dag_id": "another"})
    assert other.json() == []


def test_a_task_is_about_nothing_while_there_is_no_store(
    client_as: Callable[..., Any], store_path: Path
) -> None:
    assert shown(client_as("viewer"), "deploy", "0") == []
