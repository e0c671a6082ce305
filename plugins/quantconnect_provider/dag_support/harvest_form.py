"""The form of the DAG `quantconnect_harvest_insights`."""

from __future__ import annotations

from airflow.sdk import Param

from quantconnect_provider.dag_support.form_fields import HOW, PROJECT_IDS, WHAT


def harvest_params() -> dict[str, Param]:
    """Return the form of `quantconnect_harvest_insights`."""
    return {
        "project_ids": Param(
            None,
            **PROJECT_IDS,
            title="Projects",
            section=WHAT,
            description="Project ids, one a line. Empty: every project that has a deployment.",
        ),
        "full": Param(
            False,
            type="boolean",
            title="Read everything again",
            section=HOW,
            description="Otherwise only what can have changed since the last harvest is read.",
        ),
    }
