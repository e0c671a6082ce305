"""What a case is: something to do through Airflow, what goes wrong meanwhile, and what must be true after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chaos.run import Run

Fault = dict[str, Any]
"""The fields of a sandbox fault (`quantconnect_provider.sandbox.faults.FaultSpec`)."""


@dataclass(frozen=True)
class Flow:
    """One thing to do.

    :param dag: the DAG; of the suite's own, without the ending that says where it waits.
    :param task: the task whose result names the deployment.
    :param runs_before: whether the project has a running deployment before.
    :param requested: what is requested of that one.
    :param makes: how many deployments are to be made.
    :param shipped: whether it is a DAG that users get.
    """

    dag: str
    task: str = "create"
    runs_before: bool = False
    requested: str | None = None
    makes: int = 1
    if_running: str = "fail"
    shipped: bool = False

    def dag_id(self, where: str) -> str:
        """Return the id of the DAG that waits there; the shipped ones always wait in the triggerer."""
        return self.dag if self.shipped else f"{self.dag}_{where}"


FLOWS = {
    "deploy": Flow("deploy"),
    "build": Flow("build"),
    "adopt": Flow("deploy", runs_before=True, makes=0, if_running="adopt"),
    "redeploy": Flow("deploy", runs_before=True, requested="stop", if_running="redeploy"),
    "stop": Flow("stop", "end", runs_before=True, requested="stop", makes=0),
    "liquidate": Flow("liquidate", "end", runs_before=True, requested="liquidate", makes=0),
    "shipped-deploy": Flow("quantconnect_deploy", "deploy", shipped=True),
    "shipped-redeploy": Flow(
        "quantconnect_deploy",
        "deploy",
        runs_before=True,
        requested="stop",
        if_running="redeploy",
        shipped=True,
    ),
    "shipped-stop": Flow(
        "quantconnect_wind_down", "stop", runs_before=True, requested="stop", makes=0, shipped=True
    ),
    "shipped-liquidate": Flow(
        "quantconnect_wind_down", "liquidate", runs_before=True, requested="liquidate", makes=0, shipped=True
    ),
}

Script = Callable[["Run"], None]
"""What is done to a run while it is under way; it waits for the right moment by itself."""


@dataclass(frozen=True, eq=False)
class Case:
    """One run of one flow on a project of its own, and what befalls it.

    :param name: the test's id.
    :param where: ``deferred`` or ``worker``: where the task waits.
    :param faults: in force from the start, for this project only.
    :param script: what is done to it besides.
    :param project: more fields of the sandbox's project.
    :param patient: over the connection whose requests outwait any hang.
    :param first: to be started before others, because it takes long.
    :param state: how the run must end.
    """

    name: str
    flow: str
    where: str = "deferred"
    faults: tuple[Fault, ...] = ()
    script: Script | None = None
    project: Mapping[str, Any] = field(default_factory=dict)
    patient: bool = False
    first: bool = False
    state: str = "success"

    def __str__(self) -> str:
        return self.name


def hold(endpoint: str, when: str) -> Fault:
    """Return the fault that keeps a request waiting until it is let go or its sender is dead."""
    return {"endpoint": endpoint, "when": when, "hang": True}


SPEED: dict[str, dict[str, Any]] = {
    "worker": {
        "build": {"polls": 1},
        "deploy": {
            "starting": {"InQueue": 0.5, "LoggingIn": 0.5, "Initializing": 0.5},
            "stop_seconds": 1.0,
            "sell_seconds": 0.5,
            "liquidate_seconds": 1.0,
        },
    },
    # Every wait takes longer than a task polls in its worker (`tasks.waiting.WORKER_SECONDS`), so it defers.
    "deferred": {
        "build": {"polls": 12},
        "deploy": {
            "starting": {"InQueue": 5.0, "LoggingIn": 5.0, "Initializing": 5.0},
            "stop_seconds": 15.0,
            "sell_seconds": 30.0,
            "liquidate_seconds": 15.0,
        },
    },
}
"""How fast a project builds, starts and ends, by where the task waits."""

SLOW_TO_START = {"deploy": {"starting": {"InQueue": 100_000}}}
"""A deployment that gets nowhere until the test says so."""

SLOW_TO_END = {"deploy": {"stop_seconds": 100_000, "liquidate_seconds": 100_000}}
"""One that is asked to end and goes on until the test says so."""
