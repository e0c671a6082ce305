"""Compiling a project and waiting for the build."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.client.models import Compile
from quantconnect_provider.live.deployment_errors import BuildFailedError, WaitTimeoutError
from quantconnect_provider.live.polling import Polling
from quantconnect_provider.live.waiting import Wait

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_LINES_SHOWN = 40
_POLLING = Polling(interval_seconds=2.0)


def start_build(client: QuantConnectClient, project_id: int) -> Compile:
    """Ask for a build of the project (compile/create); repeating it only builds again.

    :raises QuantConnectError: if the API does not take it.
    """
    build = client.create_compile(project_id)
    log.info("Build %s of project %s: %s", build.compile_id, project_id, build.state)
    return build


def build_succeeded(build: Compile) -> bool:
    """Return True for a good build and False for one that goes on.

    :raises BuildFailedError: with the compiler's own lines.
    """
    if build.state == "BuildError":
        lines = [line.rstrip() for line in build.logs if line.strip()]
        shown = "\n".join(lines[:_LINES_SHOWN]) or "The compiler gave no log."
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
    """Look at compile/read until the build is good.

    :param deadline: unix seconds.
    :raises BuildFailedError: with the compiler's own lines.
    :raises WaitTimeoutError: if it takes longer.
    """
    patience = Wait((), deadline)
    while True:
        try:
            build = client.read_compile(project_id, compile_id)
        except QuantConnectError as error:
            patience.failed(error, polling.clock()).raise_unless_done()
        else:
            if build_succeeded(build):
                return build
            if polling.clock() >= deadline:
                raise WaitTimeoutError(
                    f"Build {compile_id} of project {project_id} is still {build.state}.",
                    advice="Run again, or allow more time.",
                )
        polling.pause(deadline)
