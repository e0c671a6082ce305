"""The form of the DAG `quantconnect_deploy`."""

from __future__ import annotations

from airflow.sdk import Param

from quantconnect_provider.dag_support.form_fields import approval
from quantconnect_provider.tasks.deploy_request import DeployRequest


def deploy_params() -> dict[str, Param]:
    """Return the form of `quantconnect_deploy`: every option of a deployment, and who approves it."""
    return {
        **{name: option.param() for name, option in DeployRequest.options().items()},
        "approval": approval(
            "When a person must approve. auto: unless it is paper trading. never: only where the brokerage "
            "connection allows it (allow_unattended); otherwise the run is refused."
        ),
    }
