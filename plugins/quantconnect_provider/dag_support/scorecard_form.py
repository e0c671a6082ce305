"""The form of the DAG `quantconnect_scorecard`."""

from __future__ import annotations

from airflow.sdk import Param

from quantconnect_provider.dag_support.form_fields import HOW, PROJECT_IDS, WHAT


def scorecard_params() -> dict[str, Param]:
    """Return the form of `quantconnect_scorecard`."""
    return {
        "project_ids": Param(
            None,
            **PROJECT_IDS,
            title="Projects",
            section=WHAT,
            description="Project ids, one a line. Empty: every project in the store.",
        ),
        "full": Param(
            False,
            type="boolean",
            title="Compute everything again",
            section=HOW,
            description="Otherwise only what has changed since the last time is computed.",
        ),
    }
