"""Airflow's own components ended and killed while deployments start and end: all of them go on."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.chaos.cases import SLOW_TO_END, SLOW_TO_START, Case, hold
from tests.chaos.run import Run
from tests.chaos.stage import Stage

WAITING = [
    ("deploy", SLOW_TO_START),
    ("redeploy", SLOW_TO_START),
    ("stop", SLOW_TO_END),
    ("liquidate", SLOW_TO_END),
]
"""What waits in the triggerer meanwhile."""

IN_WORKERS = [
    ("deploy", "live/create", "before"),
    ("deploy", "live/create", "after"),
    ("redeploy", "live/create", "after"),
    ("stop", "live/update/stop", "after"),
    ("liquidate", "live/update/liquidate", "after"),
]
"""Whose request a worker is waiting for meanwhile."""


@dataclass(frozen=True)
class Restart:
    """How a component is restarted.

    :param sending: whether requests are held meanwhile. One that is asked to end waits for its workers.
    """

    component: str
    number: signal.Signals
    sending: bool = False

    def __str__(self) -> str:
        return f"{self.component}-{self.number.name}"


RESTARTS = [
    Restart("triggerer", signal.SIGTERM),
    Restart("triggerer", signal.SIGKILL),
    Restart("scheduler", signal.SIGTERM),
    Restart("scheduler", signal.SIGKILL, sending=True),
    Restart("api-server", signal.SIGKILL, sending=True),
]


def cases_for(restart: Restart) -> list[Case]:
    waiting = [Case(f"{restart}-{flow}", flow, project=slow) for flow, slow in WAITING]
    sending = [
        Case(f"{restart}-{when}-{endpoint}", flow, "worker", (hold(endpoint, when),), patient=True)
        for flow, endpoint, when in IN_WORKERS
    ]
    return waiting + (sending if restart.sending else [])


def in_the_middle(run: Run) -> None:
    """Wait until the run is where the restart is to meet it."""
    if run.faults:
        run.until_struck()
    else:
        run.until_task("deferred")


@pytest.mark.parametrize("restart", RESTARTS, ids=str)
def test_component_restarted(restart: Restart, stage: Stage) -> None:
    runs = [stage.begin(case) for case in cases_for(restart)]
    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(lambda run: run.trigger(), runs))
        list(pool.map(in_the_middle, runs))
        asked = [run.outcome().requested for run in runs]

        stage.airflow.end_component(restart.component, restart.number)
        for run in runs:
            run.acts[f"{restart.component} ended with {restart.number.name}"] += 1
            if run.faults:
                run.let_go()  # the answer is lost while Airflow is not whole
        stage.airflow.start_component(restart.component)
        stage.airflow.until_healthy()

        assert [run.outcome().requested for run in runs] == asked
        for run in runs:
            run.get_going()
        outcomes = list(pool.map(lambda run: run.finish(), runs))
    wrong = {str(run.case): outcome.wrong(run.case) for run, outcome in zip(runs, outcomes, strict=True)}
    assert {name: problems for name, problems in wrong.items() if problems} == {}
