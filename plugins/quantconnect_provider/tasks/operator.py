"""What all operators and sensors of this package share: a connection, its client, and plain errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from quantconnect_provider.hooks.quantconnect import QuantConnectHook
from quantconnect_provider.links import QuantConnectLiveLink, QuantConnectPageLink, QuantConnectProjectLink
from quantconnect_provider.retry import QuantConnectRetryPolicy
from quantconnect_provider.tasks.failures import plain_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

    from quantconnect_provider.client import QuantConnectClient

DEFAULT_CONN_ID = "quantconnect_default"


class QuantConnectOperator(BaseOperator):
    """An operator that talks to QuantConnect over a connection.

    Killing the task never does anything at QuantConnect: there is no ``on_kill`` here or below.

    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    """

    template_fields: Sequence[str] = ("quantconnect_conn_id",)
    operator_extra_links = (QuantConnectProjectLink(), QuantConnectLiveLink(), QuantConnectPageLink())
    ui_color = "#f5ae29"
    ui_fgcolor = "#000000"

    def __init__(self, *, quantconnect_conn_id: str = DEFAULT_CONN_ID, **kwargs: Any) -> None:
        kwargs.setdefault("retry_policy", QuantConnectRetryPolicy())
        super().__init__(**kwargs)
        self.quantconnect_conn_id = quantconnect_conn_id

    @contextmanager
    def session(self) -> Iterator[QuantConnectClient]:
        """Give a client for the connection, and let QuantConnect's errors end the task with one line.

        :raises QuantConnectTaskFailed: for errors that another attempt cannot cure.
        :raises QuantConnectError: for those that it may cure.
        """
        with plain_errors(), self.client() as client:
            yield client

    def client(self) -> QuantConnectClient:
        """Return a client for the connection, to be closed by the caller.

        :raises InvalidSettingError: when the connection does not exist or cannot be right.
        """
        return QuantConnectHook(self.quantconnect_conn_id).get_conn()

    def show_links(self, context: Context) -> None:
        """Make the task's links work from now on; Airflow itself does so when the attempt ends or defers."""
        ti: Any = context.get("ti")  # Airflow passes it as the links' key, too
        if ti is not None:
            for link in self.operator_extra_links:
                ti.xcom_push(key=link.xcom_key, value=link.get_link(self, ti_key=ti))

    @contextmanager
    def log_group(self, title: str) -> Iterator[None]:
        """Fold what is logged meanwhile under *title* in the task's log."""
        self.log.info("::group::%s", title)
        try:
            yield
        finally:
            self.log.info("::endgroup::")
