"""The button on a task that opens its project at QuantConnect."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs
from airflow.sdk import BaseOperatorLink

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.hooks.quantconnect import QuantConnectHook

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

SITE = "quantconnect.com"
PROJECT_URL = "https://www.quantconnect.com/project/{project_id}"


@attrs.define()
class QuantConnectProjectLink(BaseOperatorLink):
    """Opens the project that the task works on, in QuantConnect's own interface."""

    name = "QuantConnect project"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the project's address, or nothing when the task names no single project at QuantConnect.

        Airflow calls this in the worker, where the connection can be read, and keeps the result as an XCom.
        """
        project_id = str(getattr(operator, "project_id", "") or "")
        if not project_id.isdecimal() or not _is_at_quantconnect(operator):
            return ""
        return PROJECT_URL.format(project_id=project_id)


def _is_at_quantconnect(operator: BaseOperator) -> bool:
    """Whether the connection leads to QuantConnect itself: a sandbox's projects are not there."""
    try:
        access = QuantConnectHook(getattr(operator, "quantconnect_conn_id", "")).access()
    except QuantConnectError:
        return True  # no usable connection, so no other place either; the task's log says what is wrong
    host = urlsplit(access.account.base_url).hostname or ""
    return host == SITE or host.endswith(f".{SITE}")
