"""The form of the DAG `quantconnect_wind_down`."""

from __future__ import annotations

from airflow.sdk import Param

from quantconnect_provider.dag_support.form_fields import PROJECT_IDS, WHAT, approval, choice


def wind_down_params() -> dict[str, Param]:
    """Return the form of `quantconnect_wind_down`."""
    return {
        "project_ids": Param(
            None,
            **PROJECT_IDS,
            title="Projects",
            section=WHAT,
            description="Project ids, like [12345678, 12345679]. Empty only with all running.",
        ),
        "all_running": Param(
            False,
            type="boolean",
            title="All running",
            section=WHAT,
            description="Every project that is live when the run starts.",
        ),
        "action": choice(
            "stop",
            ["stop", "liquidate"],
            title="Action",
            section=WHAT,
            description="stop: end it and keep its holdings. liquidate: sell all holdings, then end it.",
        ),
        "approval": approval("When a person must approve. auto: before liquidating."),
    }
