"""The DAG quantconnect_watch with policies: what dies or draws down in the sandbox is acted on once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quantconnect_provider.store.store import Store
from quantconnect_provider.store.watch_tables import events
from tests.airflow.conftest import Run, answering, sent
from tests.airflow.guarding import LIQUIDATE, REDEPLOY, triggered


@pytest.fixture
def watch(run_dag: Callable[..., Run], target_dags: None, quantconnect_sandbox: Any) -> Callable[[], Run]:
    def run() -> Run:
        done = run_dag("quantconnect_watch")
        assert done.state == "success", done.log
        return done

    return run


def actions(store_url: str) -> dict[str, tuple[str | None, str | None]]:
    with Store.open(store_url) as store, store.read() as connection:
        rows = connection.execute(events.select())
        return {row.event_id: (row.action, row.action_run_id) for row in rows}


def test_an_algorithm_that_dies_is_deployed_again_once(
    watch: Callable[[], Run],
    policies: Callable[..., None],
    quantconnect_sandbox: Any,
    run_dag: Callable[..., Run],
    store_url: str,
) -> None:
    policies(REDEPLOY)
    assert watch().states["act"] == "skipped"
    deploy_id = quantconnect_sandbox.deployments(1002)[0]["deploy_id"]
    quantconnect_sandbox.fail(deploy_id)
    run_id = f"guard__{deploy_id}-died-1"
    assert watch().names["act"] == [run_id]
    watch()
    [(found, (dag_id, conf))] = triggered().items()
    assert (found, dag_id) == (run_id, "quantconnect_deploy")

    assert run_dag(dag_id, **conf).state == "success"
    watch()
    assert list(triggered()) == [run_id]
    assert sent(quantconnect_sandbox, "live/create") == 1
    assert actions(store_url) == {
        f"{deploy_id}-died-1": ("redeploy", run_id),
        f"{deploy_id}-recovered-1": (None, None),
    }


@pytest.mark.parametrize(("backoff_seconds", "acted"), [(600, 0), (0, 1)])
def test_an_algorithm_that_quantconnect_restarts_is_not_deployed_again(
    watch: Callable[[], Run],
    policies: Callable[..., None],
    quantconnect_sandbox: Any,
    run_dag: Callable[..., Run],
    backoff_seconds: float,
    acted: int,
) -> None:
    """Neither when it runs again within the backoff, nor when a guard acted just before."""
    policies({**REDEPLOY, "backoff_seconds": backoff_seconds})
    watch()
    deploy_id = quantconnect_sandbox.deployments(1002)[0]["deploy_id"]
    quantconnect_sandbox.fail(deploy_id)
    watch()
    runs = triggered()
    assert len(runs) == acted
    quantconnect_sandbox.restart(deploy_id)
    for dag_id, conf in runs.values():
        assert run_dag(dag_id, **conf).states["plan"] == "failed"
    watch()
    assert triggered() == runs
    assert sent(quantconnect_sandbox, "live/create") == 0
    assert [one["status"] for one in quantconnect_sandbox.deployments(1002)] == ["Running"]


def test_a_drawdown_is_liquidated_once_a_person_approves(
    watch: Callable[[], Run],
    policies: Callable[..., None],
    quantconnect_sandbox: Any,
    run_dag: Callable[..., Run],
    store_url: str,
) -> None:
    policies({**LIQUIDATE, "limit": 0.3})
    watch()
    deploy_id = quantconnect_sandbox.deployments(1003)[0]["deploy_id"]
    quantconnect_sandbox.drawdown(deploy_id, 0.25)
    assert watch().states["act"] == "skipped"  # an event, and not yet the limit of the policy
    quantconnect_sandbox.drawdown(deploy_id, 0.25)
    watch()
    [(run_id, (dag_id, conf))] = triggered().items()
    assert (run_id, dag_id) == (f"guard__{deploy_id}-drawdown-1", "quantconnect_wind_down")
    with answering("Approve") as asked:
        assert run_dag(dag_id, **conf).state == "success"
    assert asked[0]["subject"] == "Liquidate 1 live deployment: project 1003?"
    assert quantconnect_sandbox.deployments(1003)[0]["status"] == "Liquidated"
    watch()
    assert list(triggered()) == [run_id]
    assert actions(store_url) == {f"{deploy_id}-drawdown-1": ("liquidate", run_id)}
