"""Processes killed with SIGKILL around every request, and while they wait."""

from __future__ import annotations

from tests.chaos import faults
from tests.chaos.cases import SLOW_TO_END, SLOW_TO_START, Case, Script, hold
from tests.chaos.run import Run

WRITES = [("build", "compile/create"), *faults.WRITES]
"""Killed before the request takes effect, and after."""

READS = [
    ("build", "compile/read"),
    ("deploy", "live/list"),
    ("deploy", "live/read"),
    ("deploy", "projects/nodes/read"),
    ("redeploy", "live/portfolio/read"),
    ("stop", "live/list"),
    ("stop", "live/read"),
    ("liquidate", "live/list"),
    ("liquidate", "live/portfolio/read"),
]
"""Killed in the middle: what has no effect has no before and after."""


def killed(victim: str) -> Script:
    """Kill as soon as the case's request has come in."""

    def script(run: Run) -> None:
        run.until_struck()
        run.kill(victim)
        run.let_go()

    return script


def _at(flow: str, endpoint: str, when: str, victim: str = "task", where: str = "worker") -> Case:
    return Case(
        f"{victim}-{when}-{flow}-{endpoint}",
        flow,
        where,
        (hold(endpoint, when),),
        killed(victim),
        patient=True,
        first="update" in endpoint or victim != "task",
    )


def killed_waiting(run: Run) -> None:
    """Kill the worker's task while it waits for the deployment to run, or to be over."""
    run.watch.until(run.is_waiting, f"{run.case} to wait")
    run.kill("task")
    run.until_task("running", after_try=1)
    run.get_going()


def killed_looking(run: Run) -> None:
    """Kill while it polls for the outcome of its lost request."""
    run.until_struck(1)
    run.kill("task")
    run.let_go(1)


def killed_twice(run: Run) -> None:
    """Kill right after the request took effect, and the next attempt while it looks."""
    run.until_struck(0)
    run.kill("task")
    run.let_go(0)
    run.until_struck(1)
    run.kill("task")
    run.let_go(1)


CASES = [
    *(_at(flow, endpoint, when) for flow, endpoint in WRITES for when in ("before", "after")),
    *(_at(flow, endpoint, "after") for flow, endpoint in READS),
    _at("deploy", "live/create", "before", "worker", "deferred"),
    _at("deploy", "live/create", "after", "worker", "deferred"),
    _at("redeploy", "live/update/stop", "after", "worker"),
    _at("liquidate", "live/update/liquidate", "after", "worker", "deferred"),
    _at("deploy", "live/create", "before", "supervisor"),
    _at("deploy", "live/create", "after", "supervisor"),
    Case("deploy-waiting", "deploy", "worker", script=killed_waiting, project=SLOW_TO_START, patient=True),
    Case("stop-waiting", "stop", "worker", script=killed_waiting, project=SLOW_TO_END, patient=True),
    Case(
        "deploy-looking",
        "deploy",
        "worker",
        (
            {"endpoint": "live/create", "drop": True, "when": "after"},
            {**hold("live/list", "after"), "nth": 2},
        ),
        killed_looking,
        patient=True,
    ),
    Case(
        "deploy-twice",
        "deploy",
        "deferred",
        (hold("live/create", "after"), {**hold("live/list", "after"), "nth": 2}),
        killed_twice,
        patient=True,
    ),
]
