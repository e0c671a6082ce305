"""Compiling a project and waiting for the build."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from quantconnect_provider.client.models import Compile
from quantconnect_provider.live.deployment_errors import BuildFailedError, WaitTimeoutError
from quantconnect_provider.live.polling import FailureBudget, Polling, polls

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_LINES_SHOWN = 40
_POLLING = Polling(interval_seconds=2.0)


def start_build(client: QuantConnectClient, project_id: int) -> Compile:
    """Start a build of the project (compile/create); a repeated request only builds again.

    :raises QuantConnectError: if the API does not accept it.
    """
    build = client.create_compile(project_id)
    log.info("Building project %s: build %s.", project_id, build.compile_id)
    return build


def build_succeeded(build: Compile) -> bool:
    """Return True for a build that succeeded and False for one that is not finished.

    :raises BuildFailedError: with the compiler's own lines.
    """
    if build.state == "BuildError":
        lines = [line.rstrip() for line in build.logs if line.strip()]
        shown = "\n".join(lines[:_LINES_SHOWN]) or "The compiler gave no reason."
        more = f"\n({len(lines) - _LINES_SHOWN} more lines)" if len(lines) > _LINES_SHOWN else ""
        raise BuildFailedError(f"Build {build.compile_id} failed:\n{shown}{more}\n", endpoint="compile/read")
    if build.state not in ("BuildSuccess", "InQueue"):
        log.warning("Build %s has the unknown state %r.", build.compile_id, build.state)
    return build.state == "BuildSuccess"


def wait_for_build(
    client: QuantConnectClient,
    project_id: int,
    compile_id: str,
    *,
    deadline: float,
    polling: Polling = _POLLING,
) -> Compile:
    """Poll compile/read until the build has succeeded.

    :param deadline: unix seconds.
    :raises BuildFailedError: with the compiler's own lines.
    :raises WaitTimeoutError: if it takes longer.
    """
    budget = FailureBudget()
    state = "unknown"
    for build in polls(lambda: client.read_compile(project_id, compile_id), polling, deadline, budget):
        if build_succeeded(build):
            return build
        state = build.state
    failed = f" The last poll failed: {budget.last_error.args[0]}" if budget.last_error else ""
    raise WaitTimeoutError(
        f"Build {compile_id} of project {project_id} is {state} at the time limit.{failed}",
        advice="Run again, or raise the operator's timeout_seconds.",
    )
