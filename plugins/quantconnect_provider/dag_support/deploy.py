"""What the DAG `quantconnect_deploy` does before it compiles: check, plan, ask."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.dag_support.approval_gate import ApprovalGate, Question
from quantconnect_provider.dag_support.deploy_form import deploy_params
from quantconnect_provider.dag_support.projects import connect, describe_account
from quantconnect_provider.live.approval.deploy_preview import DeployPreview, preview_deployment
from quantconnect_provider.live.approval.rules import approval_needed
from quantconnect_provider.plain_text import log_table
from quantconnect_provider.tasks.deploy_request import DeployRequest
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import check_names

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)


def plan(params: Mapping[str, Any]) -> dict[str, Any]:
    """Check the run's params and connections, read what is there, and log what is going to happen.

    Returns project id and name, and whether it is paper money. Sends nothing that changes anything.

    :raises QuantConnectTaskFailed: naming the field or connection that cannot be right; for a run that is
        bound to fail; for real money without approval where the brokerage's connection does not allow that.
    """
    with plain_errors():
        check_names(params, deploy_params())
        planned, needed = _preview(params)
        log_table(log, ("What", "Value"), planned.rows())
        log.info("Approval is %s.", "needed" if needed else "not needed")
        return {
            "project_id": planned.project_id,
            "project_name": planned.project_name,
            "is_paper": planned.is_paper,
        }


class DeployApproval(ApprovalGate):
    """Asks before a deployment, as the param ``approval`` says: ``auto`` asks unless it is paper."""

    def question(self, context: Context) -> Question:
        """Read everything again, so that the page is true when it is read."""
        params = context["params"]
        planned, needed = _preview(params)
        because = f"approval is {params['approval']!r} and this is {planned.money}"
        return Question(needed, because, planned.subject, planned.describe(), planned.is_paper)


def _preview(params: Mapping[str, Any]) -> tuple[DeployPreview, bool]:
    with _labels_named():
        request = DeployRequest.of(params)
        resolved = request.resolve()
        needed = approval_needed(params["approval"], resolved.brokerage)
        with connect() as client:
            planned = preview_deployment(
                client,
                resolved.spec,
                resolved.brokerage,
                if_running=request.if_running,
                options=request.shown(),
                user=describe_account(),
                check=True,
            )
        return planned, needed


@contextmanager
def _labels_named() -> Iterator[None]:
    """Add the labels of the form to an error that names fields: people see labels only."""
    try:
        yield
    except QuantConnectError as error:
        labels = [
            f'{name} is "{option.title}"'
            for name, option in DeployRequest.options().items()
            if name in str(error) and option.title.lower() != name
        ]
        if labels:
            error.advice = f"{error.advice} In the form, {', '.join(labels)}.".strip()
        raise
