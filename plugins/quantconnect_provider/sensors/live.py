"""Waiting for the status of a live deployment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, AirflowSkipException

from quantconnect_provider import config
from quantconnect_provider.links import QuantConnectProjectLink
from quantconnect_provider.retry import QuantConnectRetryPolicy
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import project_id_of, text_or_none, texts_of
from quantconnect_provider.tasks.operator import DEFAULT_CONN_ID, wait_result_of

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.live.waiting import WaitResult
    from quantconnect_provider.triggers.live import LiveStatusTrigger


class QuantConnectLiveStatusSensor(BaseSensorOperator):
    """Waits until a project's live deployment has one of the wanted statuses.

    A deployment that is over without having one fails the sensor (or skips it with ``soft_fail``); a status
    that nobody knows is logged and waited through. Looks that fail for a passing reason are borne.

    :param project_id: the project.
    :param deploy_id: which deployment; by default the project's newest at each look (deferred: at the first).
    :param target: statuses (``Running``, ``Stopped``, ...) or phases (``starting``, ``running``,
        ``over_well``, ``over_badly``), any of them.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer and free the worker; default is ``[operators]
        default_deferrable``.

    ``poke_interval``, ``timeout``, ``mode`` and ``soft_fail`` are those of every sensor.
    """

    template_fields: Sequence[str] = ("project_id", "deploy_id", "target", "quantconnect_conn_id")
    operator_extra_links = (QuantConnectProjectLink(),)
    ui_color = "#f9d28c"

    def __init__(
        self,
        *,
        project_id: int | str | XComArg,
        deploy_id: str | XComArg | None = None,
        target: Sequence[str] | str = ("Running",),
        quantconnect_conn_id: str = DEFAULT_CONN_ID,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retry_policy", QuantConnectRetryPolicy())
        super().__init__(**kwargs)
        self.project_id = project_id
        self.deploy_id = deploy_id
        self.target = target
        self.quantconnect_conn_id = quantconnect_conn_id
        self.deferrable = config.default_deferrable() if deferrable is None else deferrable

    def execute(self, context: Context) -> Any:
        """Wait in the worker as every sensor does, or look once and then wait in the triggerer."""
        if not self.deferrable:
            return super().execute(context)
        try:
            found = self.poke(context)
        except AirflowFailException as error:
            if self.soft_fail:
                raise AirflowSkipException(str(error)) from None
            raise
        result: dict[str, Any] = found.xcom_value or {}
        if not found.is_done:
            self.log.info("Waiting in the triggerer for one of: %s.", ", ".join(self._wanted()))
            self.defer(trigger=self._trigger(result["deploy_id"]), method_name="execute_complete")
        return result

    def execute_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Go on after the triggerer has watched."""
        from quantconnect_provider.live.post_mortem import deployment_failed
        from quantconnect_provider.live.waiting import WaitState

        wait_result, _ = wait_result_of(event)
        if wait_result.verdict is WaitState.TIMEOUT:
            raise AirflowSensorTimeout(wait_result.message)
        with plain_errors():
            project_id = project_id_of(self.project_id)
            if wait_result.verdict is WaitState.ENDED:
                with self._client() as client:
                    raise deployment_failed(client, project_id, wait_result.deploy_id, wait_result.message)
            wait_result.raise_unless_done()
            return _result(project_id, wait_result)

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        from quantconnect_provider.client.errors import QuantConnectError
        from quantconnect_provider.live.observation import Observation
        from quantconnect_provider.live.post_mortem import deployment_failed
        from quantconnect_provider.live.waiting import Wait, WaitState

        with plain_errors():
            project_id = project_id_of(self.project_id)
            wait = Wait(tuple(self._wanted()), deadline=float("inf"))
            with self._client() as client:
                try:
                    seen = Observation.of(client.read_live(project_id, text_or_none(self.deploy_id)))
                except QuantConnectError as error:
                    if not error.retryable or not self._deploy_id_known():
                        raise
                    self.log.warning("The look failed: %s", error)
                    return PokeReturnValue(is_done=False, xcom_value={"deploy_id": self.deploy_id})
                wait_result = wait.saw(seen, time.time())
                if wait_result.verdict is WaitState.ENDED:
                    raise deployment_failed(client, project_id, wait_result.deploy_id, wait_result.message)
        done = wait_result.verdict is WaitState.DONE
        return PokeReturnValue(is_done=done, xcom_value=_result(project_id, wait_result))

    def _trigger(self, deploy_id: str) -> LiveStatusTrigger:
        from quantconnect_provider.triggers.live import LiveStatusTrigger

        return LiveStatusTrigger(
            quantconnect_conn_id=self.quantconnect_conn_id,
            project_id=project_id_of(self.project_id),
            deploy_id=deploy_id,
            target=self._wanted(),
            deadline=time.time() + _seconds(self.timeout),
            poll_interval_seconds=_seconds(self.poke_interval),
        )

    def _deploy_id_known(self) -> bool:
        return not self.deferrable or text_or_none(self.deploy_id) is not None

    def _wanted(self) -> list[str]:
        return texts_of(self.target, "target") or ["Running"]

    def _client(self) -> QuantConnectClient:
        from quantconnect_provider.hooks.quantconnect import QuantConnectHook

        return QuantConnectHook(self.quantconnect_conn_id).get_conn()


def _result(project_id: int, wait_result: WaitResult) -> dict[str, Any]:
    return {"project_id": project_id, "deploy_id": wait_result.deploy_id, "status": wait_result.status}


def _seconds(span: float | timedelta) -> float:
    return span.total_seconds() if isinstance(span, timedelta) else float(span)
