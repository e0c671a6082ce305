"""Guards, run through Airflow against the sandbox: from an event to the run that acts on it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.dag_support import guards
from quantconnect_provider.store.events import (
    CRITICAL,
    DIED,
    DRAWDOWN,
    Problem,
    list_open_events,
    open_events,
)
from quantconnect_provider.store.schema import deployments
from quantconnect_provider.store.store import Store
from tests.airflow.conftest import Run, answering, sent
from tests.airflow.guarding import LIQUIDATE, REDEPLOY, pause, triggered
from tests.docs.pages import Block, blocks

HOUR = timedelta(hours=1)
GUARD_DAG = """
from airflow.sdk import DAG, get_current_context, task
from quantconnect_provider.dag_support import guards

with DAG("guards_only", schedule=None) as dag:

    @task
    def guard():
        return guards.act(get_current_context()["ti"])

    guards.GuardRunOperator.partial(
        task_id="act", map_index_template="{{ task.trigger_run_id }}"
    ).expand_kwargs(guard())
"""


@pytest.fixture
def guard(run_dag: Callable[..., Run], target_dags: None, quantconnect_sandbox: Any) -> Callable[..., Run]:
    folder = Path(os.environ["AIRFLOW_HOME"]) / "examples"
    (folder / "guards_only.py").write_text(GUARD_DAG)
    return lambda **options: run_dag("guards_only", folder, **options)


@pytest.fixture
def event(store_url: str, quantconnect_sandbox: Any) -> Callable[..., str]:
    """Store an event of a project's deployment, as the watch does; returns the event's id."""

    def store_event(project_id: int, kind: str) -> str:
        deploy_id = quantconnect_sandbox.deployments(project_id)[-1]["deploy_id"]
        then = datetime.now(timezone.utc) - HOUR
        with Store.open(store_url) as store:
            with store.engine.begin() as connection:
                connection.execute(
                    deployments.insert().values(
                        deploy_id=deploy_id,
                        project_id=project_id,
                        brokerage="PaperBrokerage",
                        launched_at=then,
                        observed_at=then,
                    )
                )
            [opened] = open_events(store, [Problem(project_id, deploy_id, kind, CRITICAL, "It is.")], then)
        return opened.event_id

    return store_event


def run_ids_in_the_store(store_url: str) -> list[tuple[str | None, str | None]]:
    with Store.open(store_url) as store:
        return [(event.action, event.action_run_id) for event in list_open_events(store)]


def test_without_policies_nothing_is_done(guard: Callable[..., Run], event: Callable[..., str]) -> None:
    event(1002, DIED)
    run = guard()
    assert run.states == {"guard": "success", "act": "skipped"}
    assert triggered() == {}


def test_a_dead_algorithm_is_deployed_again_once(
    guard: Callable[..., Run],
    policies: Callable[..., None],
    event: Callable[..., str],
    quantconnect_sandbox: Any,
    store_url: str,
    run_dag: Callable[..., Run],
) -> None:
    parameters = {"ema-fast": "10", "text": "{{ 7 * 7 }}"}
    policies({**REDEPLOY, "deploy": {"parameters": parameters, "automatic_redeploy": True}})
    event_id = event(1002, DIED)
    quantconnect_sandbox.fail(quantconnect_sandbox.deployments(1002)[0]["deploy_id"])
    run_id = f"guard__{event_id}"

    run = guard()
    assert run.names["act"] == [run_id]
    assert run_ids_in_the_store(store_url) == [("redeploy", None)]
    again = guard()
    assert again.states["act"] == "skipped"
    assert run_ids_in_the_store(store_url) == [("redeploy", run_id)]

    [(found_id, (dag_id, conf))] = triggered().items()
    assert (found_id, dag_id) == (run_id, "quantconnect_deploy")
    assert conf == {
        "project_id": 1002, "if_running": "fail", "approval": "auto", "parameters": parameters,
        "automatic_redeploy": True,
    }  # fmt: skip
    assert run_dag(dag_id, **conf).state == "success"
    assert [each["status"] for each in quantconnect_sandbox.deployments(1002)] == ["RuntimeError", "Running"]
    assert run_dag(dag_id, **conf).states["plan"] == "failed"  # it runs: a redeploy never stops it
    assert sent(quantconnect_sandbox, "live/create") == 1


def test_a_drawdown_asks_before_it_liquidates(
    guard: Callable[..., Run],
    policies: Callable[..., None],
    event: Callable[..., str],
    quantconnect_sandbox: Any,
    run_dag: Callable[..., Run],
) -> None:
    policies(LIQUIDATE)
    event_id = event(1003, DRAWDOWN)
    guard()
    [(run_id, (dag_id, conf))] = triggered().items()
    assert (run_id, dag_id) == (f"guard__{event_id}", "quantconnect_wind_down")
    with answering("Reject", user="Bob"):
        run = run_dag(dag_id, **conf)
    assert run.states["summary"] == "skipped"
    assert sent(quantconnect_sandbox, "live/update/liquidate") == 0
    with answering("Approve", user="Bob") as asked:
        run_dag(dag_id, **conf)
    assert asked[0]["subject"] == "Liquidate 1 live deployment: project 1003?"
    assert [each["status"] for each in quantconnect_sandbox.deployments(1003)] == ["Liquidated"]


def test_only_the_deployment_of_the_event_is_wound_down(
    guard: Callable[..., Run],
    policies: Callable[..., None],
    event: Callable[..., str],
    quantconnect_sandbox: Any,
    run_dag: Callable[..., Run],
) -> None:
    policies({**LIQUIDATE, "action": "stop"})
    event(1002, DRAWDOWN)
    guard()
    [(_, (dag_id, conf))] = triggered().items()
    quantconnect_sandbox.fail(quantconnect_sandbox.deployments(1002)[0]["deploy_id"])
    quantconnect_sandbox.deploy(1002)  # by a person, before the run starts
    run_dag(dag_id, **conf)
    assert [each["status"] for each in quantconnect_sandbox.deployments(1002)] == ["RuntimeError", "Running"]
    assert sent(quantconnect_sandbox, "live/update/stop") == 0


def test_a_guard_that_dies_before_it_triggers_is_completed_by_the_next(
    guard: Callable[..., Run], policies: Callable[..., None], event: Callable[..., str], store_url: str
) -> None:
    policies(REDEPLOY)
    event_id = event(1002, DIED)
    with Store.open(store_url) as store:
        guards.guard_events(store, guards.load_policies(), guards.utc_now(), lambda claim: None)
    assert triggered() == {}
    guard()
    guard()
    assert list(triggered()) == [f"guard__{event_id}"]


def test_two_guards_at_once_trigger_one_run(
    guard: Callable[..., Run], policies: Callable[..., None], event: Callable[..., str]
) -> None:
    policies(REDEPLOY)
    event_id = event(1002, DIED)
    guard()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guards, "_find_run", lambda ti, claim: None)  # the other one has not triggered it yet
        run = guard()
    assert run.names["act"] == [f"guard__{event_id}"]
    assert run.states["act[0]"] == "skipped"
    assert list(triggered()) == [f"guard__{event_id}"]


def test_a_dag_that_is_paused_fails_the_guard_until_it_is_not(
    guard: Callable[..., Run], policies: Callable[..., None], event: Callable[..., str]
) -> None:
    policies(REDEPLOY)
    event_id = event(1002, DIED)
    pause("quantconnect_deploy", True)
    run = guard()
    assert run.states["act[0]"] == "failed"
    assert "Dag quantconnect_deploy is paused" in run.log
    assert triggered() == {}
    pause("quantconnect_deploy", False)
    guard()
    assert list(triggered()) == [f"guard__{event_id}"]


def test_policies_that_cannot_be_right_fail_the_task(
    guard: Callable[..., Run], policies: Callable[..., None], event: Callable[..., str]
) -> None:
    event(1002, DIED)
    policies(REDEPLOY, {**LIQUIDATE, "action": "sell"})
    run = guard()
    assert run.states == {"guard": "failed", "act": "upstream_failed"}
    assert "[quantconnect] policies, line 1: action: invalid value 'sell'. The actions are" in run.log
    assert "Traceback" not in run.log


def test_a_policy_for_an_unknown_project_is_named(
    guard: Callable[..., Run], policies: Callable[..., None], event: Callable[..., str]
) -> None:
    event(1002, DIED)
    policies({**REDEPLOY, "projects": [4711]})
    assert "A policy names project 4711, of which no live deployment is known." in guard().log


@pytest.mark.parametrize(
    ("deploy", "message"),
    [
        ({"colour": "red"}, "There is no param colour"),
        ({"cash": [{"currency": "USD"}]}, r"deploy: cash\[0\].amount is not a number"),
        ({"version_id": 17000}, "deploy: version_id: 17000 is not of type 'string'"),
        ({"brokerage_conn_id": "None"}, "brokerage_conn_id is empty"),
        ({"parameters": "no object"}, "parameters"),
    ],
)
def test_what_a_redeploy_deploys_is_checked(
    policies: Callable[..., None], deploy: dict[str, Any], message: str
) -> None:
    policies({**REDEPLOY, "deploy": deploy})
    with pytest.raises(InvalidSettingError, match=message):
        guards.load_policies()


@pytest.mark.parametrize("block", [block for block in blocks("yaml") if "policies.md" in block.page], ids=str)
def test_examples_of_the_docs_are_policies(monkeypatch: pytest.MonkeyPatch, block: Block) -> None:
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__POLICIES", block.text)
    assert guards.load_policies().entries


@pytest.mark.parametrize(
    ("limit", "drawdown_limit", "fits"),
    [(0.2, "0.2", True), (None, "0.2", True), (0.1, "0.2", False), (None, "0", False)],
)
def test_a_policy_acts_on_no_drawdown_without_an_event(
    policies: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    limit: float | None,
    drawdown_limit: str,
    fits: bool,
) -> None:
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__DRAWDOWN_LIMIT", drawdown_limit)
    policies({**LIQUIDATE, "limit": limit})
    if fits:
        assert guards.load_policies().entries
        return
    with pytest.raises(InvalidSettingError, match=f"drawdown_limit is {drawdown_limit}"):
        guards.load_policies()


def test_policies_have_one_place(
    policies: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "policies.yaml").write_text("- {event: drawdown, action: stop, projects: all}")
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__POLICIES_FILE", str(tmp_path / "policies.yaml"))
    assert [entry.action for entry in guards.load_policies().entries] == ["stop"]
    policies(REDEPLOY)
    with pytest.raises(InvalidSettingError, match="policies and policies_file"):
        guards.load_policies()


def test_the_id_of_a_run_is_one_that_airflow_takes() -> None:
    assert guards.run_id_of("L-1-died-1") == "guard__L-1-died-1"
    odd = {guards.run_id_of(event_id) for event_id in ("L/1", "L 1", "ä", "L" * 300, "\udc80")}
    assert len(odd) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_.~:+-]{1,250}", run_id) for run_id in odd)
