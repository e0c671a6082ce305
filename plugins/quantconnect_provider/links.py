"""The buttons on a task: its project and live results at QuantConnect, and its row on the page in Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs
from airflow.sdk import BaseOperatorLink, conf

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.hooks.quantconnect import QuantConnectHook

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

SITE = "quantconnect.com"
PROJECT_URL = "https://www.quantconnect.com/project/{project_id}"
LIVE_URL = f"{PROJECT_URL}/live"
PAGE_PATH = "plugin/quantconnect#/"


@attrs.define()
class QuantConnectProjectLink(BaseOperatorLink):
    """Opens the project that the task works on, in QuantConnect's own interface."""

    name = "QuantConnect project"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the project's address, or nothing when the task names no single project at QuantConnect.

        Airflow calls this in the worker, where the connection can be read, and keeps the result as an XCom.
        """
        return _at_quantconnect(PROJECT_URL, operator)


@attrs.define()
class QuantConnectLiveLink(BaseOperatorLink):
    """Opens the live results of the project that the task works on, in QuantConnect's own interface."""

    name = "QuantConnect live results"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the results' address, or nothing when the task names no single project at QuantConnect."""
        return _at_quantconnect(LIVE_URL, operator)


@attrs.define()
class QuantConnectPageLink(BaseOperatorLink):
    """Opens the page with what the store knows of the task's project, in Airflow."""

    name = "QuantConnect in Airflow"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the page's address; with all deployments when the task names no single project."""
        page = f"{conf.get('api', 'base_url', fallback='').rstrip('/')}/{PAGE_PATH}"
        project_id = _project_id(operator)
        return f"{page}?search={project_id}" if project_id else page


def _project_id(operator: BaseOperator) -> str:
    """Return the id of the single project that the task names; empty if it names none."""
    project_id = str(getattr(operator, "project_id", "") or "")
    return project_id if project_id.isdecimal() else ""


def _at_quantconnect(url: str, operator: BaseOperator) -> str:
    project_id = _project_id(operator)
    return url.format(project_id=project_id) if project_id and _is_there(operator) else ""


def _is_there(operator: BaseOperator) -> bool:
    return is_at_quantconnect(str(getattr(operator, "quantconnect_conn_id", "") or ""))


def is_at_quantconnect(quantconnect_conn_id: str) -> bool:
    """Return whether the connection leads to QuantConnect itself: a sandbox's projects are not there."""
    try:
        access = QuantConnectHook(quantconnect_conn_id).access()
    except QuantConnectError:
        return True  # no usable connection, so no other place either; the task's log says what is wrong
    host = urlsplit(access.account.base_url).hostname or ""
    return host == SITE or host.endswith(f".{SITE}")
