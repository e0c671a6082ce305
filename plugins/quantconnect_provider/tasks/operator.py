"""What all operators of this package share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator

from quantconnect_provider import config
from quantconnect_provider.links import QuantConnectProjectLink
from quantconnect_provider.retry import QuantConnectRetryPolicy

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.live.polling import Polling
    from quantconnect_provider.live.waiting import Wait, WaitResult

DEFAULT_CONN_ID = "quantconnect_default"


class QuantConnectOperator(BaseOperator):
    """An operator that talks to QuantConnect over a connection.

    Killing the task never does anything at QuantConnect: there is no ``on_kill`` here or below.

    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    """

    template_fields: Sequence[str] = ("quantconnect_conn_id",)
    operator_extra_links = (QuantConnectProjectLink(),)
    ui_color = "#f5ae29"
    ui_fgcolor = "#000000"

    def __init__(self, *, quantconnect_conn_id: str = DEFAULT_CONN_ID, **kwargs: Any) -> None:
        kwargs.setdefault("retry_policy", QuantConnectRetryPolicy())
        super().__init__(**kwargs)
        self.quantconnect_conn_id = quantconnect_conn_id

    @contextmanager
    def client(self) -> Iterator[QuantConnectClient]:
        """Give a client for the connection, closed at the end.

        :raises InvalidSettingError: when the connection does not exist or cannot be right.
        """
        from quantconnect_provider.hooks.quantconnect import QuantConnectHook

        with QuantConnectHook(self.quantconnect_conn_id).get_conn() as client:
            yield client

    @contextmanager
    def log_group(self, title: str) -> Iterator[None]:
        """Fold what is logged meanwhile under *title* in the task's log."""
        self.log.info("::group::%s", title)
        try:
            yield
        finally:
            self.log.info("::endgroup::")


class WaitingOperator(QuantConnectOperator):
    """An operator that waits for something at QuantConnect, in its worker or deferred.

    :param deferrable: wait in the triggerer and free the worker; default is ``[operators]
        default_deferrable``.
    :param timeout_seconds: for how long to wait; the default is a setting.
    :param poll_interval_seconds: between two looks; default is ``[quantconnect] poll_interval_seconds``.
    """

    def __init__(
        self,
        *,
        deferrable: bool | None = None,
        timeout_seconds: float | None = None,
        poll_interval_seconds: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = config.default_deferrable() if deferrable is None else deferrable
        self.timeout_seconds = timeout_seconds
        self.poll_interval_seconds = poll_interval_seconds

    def interval(self) -> float:
        """Return the seconds between two looks."""
        return self.poll_interval_seconds or config.load().poll_interval_seconds

    def deadline(self, default_timeout_seconds: float) -> float:
        """Return when the wait that starts now must be over, in unix seconds."""
        return time.time() + (self.timeout_seconds or default_timeout_seconds)

    def polling(self) -> Polling:
        """Return how a wait in the worker looks: as often as one in the triggerer."""
        from quantconnect_provider.live.polling import Polling

        return Polling(self.interval())

    def poll_until(
        self, client: QuantConnectClient, wait: Wait, project_id: int, deploy_id: str
    ) -> WaitResult:
        """Wait in the worker until the deployment is where it should be, and return how that ended."""
        from quantconnect_provider.live.observation import observe_deployment
        from quantconnect_provider.live.waiting import poll_until

        return poll_until(lambda: observe_deployment(client, project_id, deploy_id), wait, self.polling())

    def defer_until(self, wait: Wait, *, project_id: int, deploy_id: str, resume: dict[str, Any]) -> NoReturn:
        """Free the worker until the deployment is where it should be; `execute_complete` goes on.

        :param resume: small JSON values that the event brings back to `execute_complete`.
        """
        from quantconnect_provider.triggers.live import LiveStatusTrigger

        self.log.info("Waiting in the triggerer for %s to be %s.", deploy_id, " or ".join(wait.target))
        self.defer(
            trigger=LiveStatusTrigger(
                quantconnect_conn_id=self.quantconnect_conn_id,
                project_id=project_id,
                deploy_id=deploy_id,
                target=list(wait.target),
                deadline=wait.deadline,
                poll_interval_seconds=self.interval(),
                restart_grace_seconds=wait.restart_grace_seconds,
                resume=resume,
            ),
            method_name="execute_complete",
        )


def wait_result_of(event: Any) -> tuple[WaitResult, dict[str, Any]]:
    """Return how the wait in the triggerer ended, and what the task gave to bring back.

    What is not understood raises: an event of another version must never pass for success.
    """
    from quantconnect_provider.triggers.events import read_wait_result, resume_of

    return read_wait_result(event), resume_of(event)
