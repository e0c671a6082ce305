"""Waiting for the status of a live deployment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException, TaskDeferralTimeout

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.observation import Observation
from quantconnect_provider.live.post_mortem import deployment_failed
from quantconnect_provider.live.waiting import Wait, WaitResult, WaitState
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import project_id_of, text_or_none, texts_of
from quantconnect_provider.tasks.waiting import DeferrableOperator, wait_result_of
from quantconnect_provider.triggers.live import LiveStatusTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg


class QuantConnectLiveStatusSensor(DeferrableOperator, BaseSensorOperator):
    """Waits until a project's live deployment has one of the wanted statuses.

    A deployment that is over without having one fails the sensor; an unknown status is logged and waited
    through. Polls that fail for a passing reason are repeated.

    :param project_id: the project.
    :param deploy_id: which deployment; by default the project's newest at each poll (deferred: at the first).
    :param target: statuses (``Running``, ``Stopped``, ...) or phases (``starting``, ``running``,
        ``over_well``, ``over_badly``), any of them.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer if the wait takes longer than some seconds; default is
        ``[operators] default_deferrable``.

    ``poke_interval``, ``timeout``, ``mode`` and ``soft_fail`` are those of every sensor. ``soft_fail`` skips
    on a timeout only: a refused token, an unknown project or a failed deployment is always an error.
    """

    template_fields: Sequence[str] = ("project_id", "deploy_id", "target", "quantconnect_conn_id")
    ui_color = "#f9d28c"

    def __init__(
        self,
        *,
        project_id: int | str | XComArg,
        deploy_id: str | XComArg | None = None,
        target: Sequence[str] | str = ("Running",),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.deploy_id = deploy_id
        self.target = target

    def interval(self) -> float:
        """Return the seconds from one poll to the next."""
        return _seconds(self.poke_interval)

    def execute(self, context: Context) -> Any:
        """Wait in the worker as every sensor does, or in the worker first and then in the triggerer."""
        # Outside of the sensor's own handling: soft_fail would turn a task failure into a skip.
        with plain_errors():
            if self.deferrable:
                return self._wait(context)
            return BaseSensorOperator.execute(self, context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll once.

        :raises QuantConnectError: if waiting cannot cure it.
        """
        project_id = project_id_of(self.project_id)
        wait = Wait(tuple(self._wanted()), deadline=float("inf"))
        with self.client() as client:
            try:
                seen = Observation.of(client.read_live(project_id, text_or_none(self.deploy_id)))
            except QuantConnectError as error:
                if not error.retryable:
                    raise
                self.log.warning("Poll failed: %s", error)
                return PokeReturnValue(is_done=False)
            wait_result = wait.saw(seen, time.time())
            if wait_result.verdict is WaitState.ENDED:
                raise deployment_failed(client, project_id, wait_result.deploy_id, wait_result.message)
        done = wait_result.verdict is WaitState.DONE
        return PokeReturnValue(is_done=done, xcom_value=_result(project_id, wait_result))

    def execute_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Resume after the wait in the triggerer."""
        return self._conclude(wait_result_of(event)[0])

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume the task; with ``soft_fail``, a timeout skips it, and nothing else does."""
        with plain_errors():
            try:
                return BaseOperator.resume_execution(self, next_method, next_kwargs, context)
            except (AirflowSensorTimeout, TaskDeferralTimeout) as timeout:
                raise self._timed_out(str(timeout)) from None

    def _wait(self, context: Context) -> dict[str, Any]:
        project_id = project_id_of(self.project_id)
        with self.client() as client:
            deploy_id = text_or_none(self.deploy_id) or client.read_live(project_id).deploy_id
            trigger = LiveStatusTrigger(
                quantconnect_conn_id=self.quantconnect_conn_id,
                project_id=project_id,
                deploy_id=deploy_id,
                target=self._wanted(),
                deadline=time.time() + _seconds(self.timeout),
                poll_interval_seconds=self.interval(),
            )
            wait_result = self.wait_or_defer(client, trigger, "execute_complete")
        try:
            return self._conclude(wait_result)
        except AirflowSensorTimeout as timeout:
            raise self._timed_out(str(timeout)) from None

    def _conclude(self, wait_result: WaitResult) -> dict[str, Any]:
        if wait_result.verdict is WaitState.TIMEOUT:
            raise AirflowSensorTimeout(wait_result.message)
        project_id = project_id_of(self.project_id)
        if wait_result.verdict is WaitState.ENDED:
            with self.client() as client:
                raise deployment_failed(client, project_id, wait_result.deploy_id, wait_result.message)
        wait_result.raise_unless_done()
        return _result(project_id, wait_result)

    def _timed_out(self, message: str) -> Exception:
        return AirflowSkipException(message) if self.soft_fail else AirflowSensorTimeout(message)

    def _wanted(self) -> list[str]:
        return texts_of(self.target, "target") or ["Running"]


def _result(project_id: int, wait_result: WaitResult) -> dict[str, Any]:
    return {"project_id": project_id, "deploy_id": wait_result.deploy_id, "status": wait_result.status}


def _seconds(span: float | timedelta) -> float:
    return span.total_seconds() if isinstance(span, timedelta) else float(span)
