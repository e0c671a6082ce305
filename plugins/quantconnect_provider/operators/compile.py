"""Compiling a project before it is deployed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import project_id_of
from quantconnect_provider.tasks.operator import WaitingOperator, wait_result_of

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

BUILD_INTERVAL_SECONDS = 2.0


class QuantConnectCompileOperator(WaitingOperator):
    """Compiles a project and waits for the build. A failed build fails the task with the compiler's lines.

    Returns the id of the build, for `QuantConnectCreateLiveOperator`.

    :param project_id: the project.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer and free the worker.
    :param timeout_seconds: how long the build may take; default ``[quantconnect] deploy_timeout_seconds``.
    :param poll_interval_seconds: between two looks, 2 by default.
    """

    template_fields: Sequence[str] = ("project_id", "quantconnect_conn_id")

    def __init__(self, *, project_id: int | str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id

    def interval(self) -> float:
        """Return the seconds between two looks; builds take seconds where deployments take minutes."""
        return self.poll_interval_seconds or min(BUILD_INTERVAL_SECONDS, super().interval())

    def execute(self, context: Context) -> str:
        """Start the build and wait for it, here or in the triggerer."""
        from quantconnect_provider.live.deploy import build

        with plain_errors():
            project_id = project_id_of(self.project_id)
            deadline = self.deadline(config.load().deploy_timeout_seconds)
            with self.client() as client:
                started = build.start_build(client, project_id)
                if self.deferrable and not build.build_succeeded(started):
                    self._defer(project_id, started.compile_id, deadline)
                return self._finish(client, project_id, started.compile_id, deadline)

    def execute_complete(self, context: Context, event: Any) -> str:
        """Go on after the triggerer has seen the build finish: read its log."""
        with plain_errors():
            wait_result, resume = wait_result_of(event)
            wait_result.raise_unless_done()
            compile_id = str(resume["compile_id"])
            with self.client() as client:
                deadline = self.deadline(config.load().deploy_timeout_seconds)
                return self._finish(client, project_id_of(self.project_id), compile_id, deadline)

    def _finish(self, client: Any, project_id: int, compile_id: str, deadline: float) -> str:
        from quantconnect_provider.live.deploy import build

        done = build.wait_for_build(client, project_id, compile_id, deadline=deadline, polling=self.polling())
        if done.logs:
            with self.log_group("Compiler"):
                for line in done.logs:
                    self.log.info("%s", line.rstrip())
        self.log.info("Project %s is built: %s", project_id, done.compile_id)
        return done.compile_id

    def _defer(self, project_id: int, compile_id: str, deadline: float) -> None:
        from quantconnect_provider.triggers.compile import CompileTrigger

        self.log.info("Waiting in the triggerer for build %s.", compile_id)
        self.defer(
            trigger=CompileTrigger(
                quantconnect_conn_id=self.quantconnect_conn_id,
                project_id=project_id,
                compile_id=compile_id,
                deadline=deadline,
                poll_interval_seconds=self.interval(),
                resume={"compile_id": compile_id},
            ),
            method_name="execute_complete",
        )
