"""What the DAG `quantconnect_deploy` does before it compiles: check, plan, ask."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quantconnect_provider.dag_support.approval_gate import ApprovalGate, Question
from quantconnect_provider.dag_support.deploy_form import deploy_params
from quantconnect_provider.dag_support.projects import connect
from quantconnect_provider.tasks.deploy_request import DeployRequest
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import check_names

if TYPE_CHECKING:
    from airflow.sdk import Context

    from quantconnect_provider.live.approval.deploy_preview import DeployPreview
    from quantconnect_provider.live.brokerages.settings import BrokerageSettings

log = logging.getLogger(__name__)


def plan(params: Mapping[str, Any]) -> dict[str, Any]:
    """Check the run's params and connections, look at what is there, and log what is going to happen.

    Returns project id and name, and whether it is paper money. Nothing is sent that changes anything.

    :raises QuantConnectTaskFailed: naming the param or connection that cannot be right; for real money that
        nobody is to approve where the brokerage's connection does not allow that.
    """
    with plain_errors():
        check_names(params, deploy_params())
        planned, _, needed = _look(params)
        for line in planned.describe().splitlines():
            log.info("%s", line)
        log.info("%s Approval: %s.", planned.subject.rstrip("?") + ".", "needed" if needed else "not needed")
        return {
            "project_id": planned.project_id,
            "project_name": planned.project_name,
            "is_paper": planned.is_paper,
        }


class DeployApproval(ApprovalGate):
    """Asks before a deployment, as the param ``approval`` says: ``auto`` asks unless it is paper."""

    def question(self, context: Context) -> Question:
        """Look again, so that the page tells how things stand when it is read."""
        params = context["params"]
        planned, brokerage, needed = _look(params)
        because = f"approval is {params['approval']!r} and {brokerage.label} means {planned.money}"
        return Question(needed, because, planned.subject, planned.describe(), planned.is_paper)


def _look(params: Mapping[str, Any]) -> tuple[DeployPreview, BrokerageSettings, bool]:
    from quantconnect_provider.live.approval.deploy_preview import preview_deployment
    from quantconnect_provider.live.approval.rules import approval_needed

    request = DeployRequest.of(params)
    resolved = request.resolve()
    needed = approval_needed(params["approval"], resolved.brokerage)
    with connect() as client:
        planned = preview_deployment(client, resolved.spec, resolved.brokerage, if_running=request.if_running)
    return planned, resolved.brokerage, needed
