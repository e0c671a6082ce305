"""Compiling a project before it is deployed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config
from quantconnect_provider.live.deploy import build
from quantconnect_provider.plain_text import visible
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import project_id_of
from quantconnect_provider.tasks.waiting import WaitingOperator, wait_result_of
from quantconnect_provider.triggers.compile import CompileTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import QuantConnectClient

BUILD_INTERVAL_SECONDS = 2.0


class QuantConnectCompileOperator(WaitingOperator):
    """Compiles a project and waits for the build. A failed build fails the task with the compiler's lines.

    Returns the id of the build, for `QuantConnectCreateLiveOperator`.

    :param project_id: the project.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer and free the worker.
    :param timeout_seconds: how long the build may take; default ``[quantconnect] deploy_timeout_seconds``.
    :param poll_interval_seconds: from one poll to the next, 2 by default.
    """

    template_fields: Sequence[str] = ("project_id", "quantconnect_conn_id")

    def __init__(self, *, project_id: int | str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id

    def interval(self) -> float:
        """Return the seconds from one poll to the next; a build takes seconds, a deployment minutes."""
        return self.poll_interval_seconds or min(BUILD_INTERVAL_SECONDS, super().interval())

    def execute(self, context: Context) -> str:
        """Start the build and wait for it, here or in the triggerer."""
        with plain_errors():
            project_id = project_id_of(self.project_id)
        with self.session() as client:
            started = build.start_build(client, project_id)
            trigger = CompileTrigger(
                quantconnect_conn_id=self.quantconnect_conn_id,
                project_id=project_id,
                compile_id=started.compile_id,
                deadline=self.deadline(config.load().deploy_timeout_seconds),
                poll_interval_seconds=self.interval(),
                resume={"compile_id": started.compile_id},
            )
            self.wait_or_defer(client, trigger, "execute_complete").raise_unless_done()
            return self._finish(client, project_id, started.compile_id)

    def execute_complete(self, context: Context, event: Any) -> str:
        """Resume after the triggerer has seen the build finish: read its log."""
        with self.session() as client:
            wait_result, resume = wait_result_of(event)
            wait_result.raise_unless_done()
            return self._finish(client, project_id_of(self.project_id), str(resume["compile_id"]))

    def _finish(self, client: QuantConnectClient, project_id: int, compile_id: str) -> str:
        deadline = self.deadline(config.load().deploy_timeout_seconds)
        done = build.wait_for_build(client, project_id, compile_id, deadline=deadline, polling=self.polling())
        if done.logs:
            with self.log_group("Compiler"):
                for line in done.logs:
                    self.log.info("%s", visible(line.rstrip()))
        self.log.info("Project %s is built: %s", project_id, done.compile_id)
        return done.compile_id
