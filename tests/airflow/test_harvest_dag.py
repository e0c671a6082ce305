"""The DAG quantconnect_harvest_insights, run through Airflow against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from quantconnect_provider.dag_support.harvest import divide, list_batches, sum_up
from quantconnect_provider.operators.insights import QuantConnectExtractInsightsOperator
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed, TaskFailed
from tests.airflow.conftest import FAST, Run, sent
from tests.airflow.test_operators import context

SCENARIO = {
    **FAST,
    "projects": [
        {
            "name": name,
            "id": project_id,
            "deployments": [
                {
                    "status": "Running",
                    "insights": {"history": {"count": count}, "growth": {"every_seconds": 0}},
                }
            ],
        }
        for name, project_id, count in (("Alpha", 2001, 250), ("Beta", 2002, 30))
    ]
    + [{"name": "Idle", "id": 2003}],
}


@pytest.fixture
def quantconnect_scenario() -> Any:
    return SCENARIO


@pytest.fixture
def harvest(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> Callable[..., Run]:
    return lambda **conf: run_dag("quantconnect_harvest_insights", **conf)


def rows(store_url: str, query: str) -> list[Any]:
    engine = create_engine(store_url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def test_every_insight_lands_in_the_store(harvest: Callable[..., Run], store_url: str) -> None:
    run = harvest()
    assert run.state == "success"
    assert run.names["extract"] == ["Alpha", "Beta"]
    counted = "SELECT project_id, COUNT(*) FROM quantconnect_insights GROUP BY project_id ORDER BY project_id"
    assert rows(store_url, counted) == [(2001, 250), (2002, 30)]
    assert run.xcoms["announce[-1].return_value"]["inserted"] == 280
    [(run_id,)] = rows(store_url, "SELECT DISTINCT run_id FROM quantconnect_harvests")
    assert run_id == run.run_id


def test_asset_event_carries_the_counts(harvest: Callable[..., Run]) -> None:
    run = harvest()
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        event = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id)).one()
        assert event.name == "quantconnect_insights"
        assert event.extra["inserted"] == 280


def test_second_night_asks_once_for_the_list(harvest: Callable[..., Run], quantconnect_sandbox: Any) -> None:
    harvest()
    before = sent(quantconnect_sandbox, "live/insights/read")
    run = harvest()
    assert run.state == "success"
    assert sent(quantconnect_sandbox, "live/list") == 2
    assert run.xcoms["announce[-1].return_value"]["inserted"] == 0
    assert sent(quantconnect_sandbox, "live/insights/read") - before <= 4


def test_one_that_fails_stops_no_other(
    harvest: Callable[..., Run], quantconnect_sandbox: Any, store_url: str
) -> None:
    quantconnect_sandbox.add_fault(
        "live/insights/read", project_id=2001, times=None, errors=["This project is locked."]
    )
    run = harvest()
    assert run.state == "failed"
    assert run.states["extract[0]"] == "failed"
    assert run.states["extract[1]"] == run.states["announce"] == "success"
    assert run.states["summary"] == "failed"
    assert "This project is locked." in run.log
    assert "1 could not be harvested, everything else was: Alpha" in run.log
    assert rows(store_url, "SELECT COUNT(*) FROM quantconnect_insights") == [(30,)]


def test_only_the_projects_that_are_named(harvest: Callable[..., Run], store_url: str) -> None:
    run = harvest(project_ids=[2002])
    assert run.state == "success"
    assert run.names["extract"] == ["Beta"]


def test_project_that_never_was_live_is_named(harvest: Callable[..., Run]) -> None:
    run = harvest(project_ids=[2002, 2003])
    assert run.states["list_deployments"] == "failed"
    assert "Never had a live deployment: project 2003." in run.log


def test_full_reads_everything_again(harvest: Callable[..., Run]) -> None:
    harvest()
    run = harvest(full=True)
    assert run.xcoms["announce[-1].return_value"]["read"] == 280


def test_names_that_the_list_has_are_not_asked_for(quantconnect_sandbox: Any) -> None:
    named = {"live": {"projectName": "Named"}}
    quantconnect_sandbox.set_api(overlays=[{"endpoint": "live/list", "fields": named}])
    assert list_batches({})[1] == ["Named", "Named"]
    assert sent(quantconnect_sandbox, "projects/read") == 0


def test_a_list_that_failed_is_told_from_an_empty_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with pytest.raises(TaskFailed, match="could not be listed"):
        sum_up(None, {})
    sum_up([], {})
    assert "There is no live deployment to harvest." in caplog.text


@pytest.mark.parametrize("deployments", ["[1]", [None], {"deploy_id": "L-1"}, "L-1"])
def test_deployments_that_are_no_list_of_objects_are_refused(
    quantconnect_sandbox: Any, store_url: str, deployments: Any
) -> None:
    operator = QuantConnectExtractInsightsOperator(task_id="extract", deployments=deployments)
    with pytest.raises(QuantConnectTaskFailed, match="deployments is not a list of objects"):
        operator.execute(context())
    assert quantconnect_sandbox.requests() == []


@pytest.mark.parametrize(
    ("projects", "size", "batches", "largest"),
    [(3, 25, 3, 1), (25, 25, 25, 1), (26, 25, 2, 13), (1000, 25, 40, 25)],
)
def test_batches_are_single_projects_while_they_are_few(
    projects: int, size: int, batches: int, largest: int
) -> None:
    divided = divide(range(projects), size)
    assert len(divided) == batches
    assert max(map(len, divided)) == largest
    assert sorted(each for batch in divided for each in batch) == list(range(projects))
