"""The form of the DAG `quantconnect_wind_down`."""

from __future__ import annotations

from airflow.sdk import Param

from quantconnect_provider.dag_support.form_fields import PROJECT_IDS, WHAT, approval, choice
from quantconnect_provider.live.wind_down.steps import ACTIONS

PROJECTS, ALL_RUNNING, DEPLOYMENT = "Projects", "All running", "Deployment"
"""Labels that errors name."""


def wind_down_params() -> dict[str, Param]:
    """Return the form of `quantconnect_wind_down`."""
    return {
        "project_ids": Param(
            None,
            **PROJECT_IDS,
            title=PROJECTS,
            section=WHAT,
            description=f"Project ids, one a line. Leave empty only with {ALL_RUNNING}.",
        ),
        "all_running": Param(
            False,
            type="boolean",
            title=ALL_RUNNING,
            section=WHAT,
            description="Every project that is live when the run starts.",
        ),
        "deploy_id": Param(
            None,
            type=["null", "string"],
            title=DEPLOYMENT,
            section=WHAT,
            description="Id of the only deployment to wind down, with one project. Empty: the current one.",
        ),
        "action": choice(
            "stop",
            ACTIONS,
            title="Action",
            section=WHAT,
            description="stop: end it and keep its holdings. liquidate: sell all holdings, then end it.",
        ),
        "approval": approval("When a person must approve. auto: before liquidating."),
    }
