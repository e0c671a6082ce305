"""The button on a task that opens its project at QuantConnect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

PROJECT_URL = "https://www.quantconnect.com/project/{project_id}"


@attrs.define()
class QuantConnectProjectLink(BaseOperatorLink):
    """Opens the project that the task works on, in QuantConnect's own interface."""

    name = "QuantConnect project"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the project's address, or nothing when the task names no single project."""
        project_id = str(getattr(operator, "project_id", "") or "")
        return PROJECT_URL.format(project_id=project_id) if project_id.isdecimal() else ""
