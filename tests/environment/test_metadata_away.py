"""Airflow's database and the store are away for half a minute while it stops, deploys and harvests."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dev.venv import ROOT
from quantconnect_provider.harvest import Store
from tests.environment.outage import (
    DEPLOY,
    DEPLOYED,
    HARVEST,
    HARVESTED,
    INSIGHTS,
    STOP,
    STOPPED,
    Stage,
    running_stage,
)
from tests.harvest.contents import assert_same, stored_insights

ONCE = {"on-failure:3"}  # what prepares the databases and ends


def get_under_way(stage: Stage) -> int:
    """Let a stop wait in the triggerer, a harvest in its pages, and live/create for its answer.

    :returns: the fault that holds the harvest.
    """
    stage.trigger(STOP, project_ids=[STOPPED], action="stop")
    stage.until(lambda: stage.task_states(STOP, "stop") == ["deferred"], "no stop waits in the triggerer")
    harvest = stage.sandbox.add_fault("live/insights/read", project_id=HARVESTED, nth=3, hang=True)
    create = stage.sandbox.add_fault("live/create", project_id=DEPLOYED, when="after", delay_seconds=10)
    stage.trigger(HARVEST)
    stage.trigger(DEPLOY, project_id=DEPLOYED, brokerage_conn_id="ib", approval="never")
    stage.until(lambda: stage.has_struck(harvest) and stage.has_struck(create), "nothing is under way")
    return harvest


def assert_nothing_sent_twice(stage: Stage) -> None:
    sandbox = stage.sandbox
    sent = {name: len(sandbox.requests(name)) for name in ("live/create", "live/update/stop")}
    assert sent == {"live/create": 1, "live/update/stop": 1}
    for project_id, status in ((STOPPED, "Stopped"), (DEPLOYED, "Running")):
        assert [deployment["status"] for deployment in sandbox.deployments(project_id)] == [status]


def assert_store_is_true(stage: Stage) -> None:
    [harvested] = stage.sandbox.deployments(HARVESTED)
    with Store.open(stage.store) as store:
        assert_same(stage.sandbox, store, harvested["deploy_id"])
        assert len(stored_insights(store, harvested["deploy_id"])) == INSIGHTS


@pytest.mark.environment
def test_half_a_minute_without_the_metadata_database(tmp_path: Path) -> None:
    with running_stage(tmp_path) as stage, stage.restarting():
        held = get_under_way(stage)
        with stage.database_away():
            stage.sandbox.set_status(stage.sandbox.deployments(STOPPED)[0]["deploy_id"], "Stopped")
            stage.sandbox.clear_faults(held)
        stage.until(stage.is_over, "not all runs have ended")
        assert stage.states() == dict.fromkeys((STOP, DEPLOY, HARVEST), "success")
        assert_nothing_sent_twice(stage)
        assert_store_is_true(stage)
        assert stage.restarts["scheduler"] >= 1  # else it was no outage
        assert [name for name, text in stage.logs().items() if stage.secrets_in(text)] == []


def test_docker_compose_starts_again_what_ends() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))["services"]
    restart = {name: service.get("restart") for name, service in services.items()}
    long_running = {name for name, policy in restart.items() if policy not in ONCE}
    assert {restart[name] for name in long_running} == {"unless-stopped"}
    assert {"airflow-scheduler", "airflow-triggerer", "airflow-dag-processor"} <= long_running
