"""The DAG quantconnect_scorecard, run through Airflow after a harvest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from quantconnect_provider.operators.insights import QuantConnectExtractInsightsOperator
from quantconnect_provider.operators.scorecard import QuantConnectScorecardOperator
from tests.airflow.conftest import Run
from tests.airflow.test_harvest_dag import SCENARIO
from tests.airflow.test_operators import context


@pytest.fixture
def quantconnect_scenario() -> Any:
    return SCENARIO


@pytest.fixture
def harvested(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> Callable[..., Run]:
    assert run_dag("quantconnect_harvest_insights").state == "success"
    return lambda **conf: run_dag("quantconnect_scorecard", **conf)


def stored(store_url: str) -> int:
    engine = create_engine(store_url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT sum(insights) FROM quantconnect_scorecards")).scalar_one()
    engine.dispose()
    return int(found)


def test_every_insight_is_in_a_scorecard(harvested: Callable[..., Run], store_url: str) -> None:
    run = harvested()

    assert run.state == "success"
    counts = run.xcoms["compute[-1].return_value"]
    assert counts["insights"] == stored(store_url) == 280
    assert "Hit rate" in run.log
    assert harvested().xcoms["compute[-1].return_value"]["changed_projects"] == 0
    assert harvested(full=True).xcoms["compute[-1].return_value"] == counts


def test_only_the_projects_that_are_named(harvested: Callable[..., Run], store_url: str) -> None:
    assert harvested(project_ids=[2002]).state == "success"
    assert stored(store_url) == 30


def test_project_that_is_not_in_the_store_is_named(harvested: Callable[..., Run]) -> None:
    run = harvested(project_ids=[2002, 2003])
    assert run.state == "failed"
    assert "The store has no deployment of project 2003." in run.log


def test_it_runs_after_the_harvest() -> None:
    from airflow.dag_processing.dagbag import DagBag

    from tests.airflow.conftest import ROOT

    dags = DagBag(str(ROOT / "dags")).dags
    outlets = {outlet for task in dags["quantconnect_harvest_insights"].tasks for outlet in task.outlets}
    assert dags["quantconnect_scorecard"].schedule in outlets


def test_of_many_scorecards_those_with_most_scored_insights_are_logged(
    quantconnect_sandbox: Any, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    symbols = [f"S{number} R735QTJ8XC9X" for number in range(30)]
    insights = {"symbols": symbols, "history": {"count": 300}}
    quantconnect_sandbox.add_project("Many", deployments=[{"status": "Running"}], insights=insights)
    QuantConnectExtractInsightsOperator(task_id="extract").execute(context())
    caplog.clear()
    made = QuantConnectScorecardOperator(task_id="score").execute(context())["scorecards"]
    assert made > 25
    assert f"... and {made - 25} more with fewer scored insights." in caplog.text
