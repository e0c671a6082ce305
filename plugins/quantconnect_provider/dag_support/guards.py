"""Guards: what the DAG `quantconnect_watch` does about events, as the policies say.

A guard stops, liquidates and deploys nothing itself. It claims an event in the store, and triggers
`quantconnect_wind_down` or `quantconnect_deploy`, whose checks and approvals hold as for any other run. The
run's id is made of the event's, so that Airflow refuses a second run for the same event.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.exceptions import ParamValidationError

from quantconnect_provider import config
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.dag_support.deploy_form import deploy_params
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.plain_text import log_table
from quantconnect_provider.policies.cycle import guard_events
from quantconnect_provider.policies.decide import Decision, Step
from quantconnect_provider.policies.policy import Alert, Liquidate, Policies, Redeploy, Stop
from quantconnect_provider.policies.read import read_policies, read_policies_file
from quantconnect_provider.store.event_actions import Claim, stored_projects
from quantconnect_provider.store.store import Store
from quantconnect_provider.tasks.deploy_request import DeployRequest
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import check_names

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

log = logging.getLogger(__name__)

DAG_OF_ACTION = {
    "redeploy": "quantconnect_deploy",
    "stop": "quantconnect_wind_down",
    "liquidate": "quantconnect_wind_down",
}
"""The DAG that carries out each action."""

_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]{1,200}")  # what Airflow takes


def act(ti: RuntimeTaskInstanceProtocol) -> list[dict[str, Any]]:
    """Claim the events that the policies act on now, and return the runs to trigger for them.

    :returns: arguments for `GuardRunOperator`, one mapping for each run.
    :raises QuantConnectTaskFailed: naming the line of the policies that cannot be right.
    """
    with plain_errors():
        policies = load_policies()
        if not policies.entries:
            log.info("There are no policies: guards do nothing.")
            return []
        with Store.open(QuantConnectStoreHook().get_conn()) as store:
            _warn_of_unknown_projects(store, policies)
            decisions = guard_events(store, policies, utc_now(), lambda claim: _find_run(ti, claim))
    rows = [
        (each.event.event_id, str(each.event.project_id), each.policy.action, each.step.value, each.reason)
        for each in decisions
    ]
    log_table(log, ("event", "project", "action", "step", "why"), rows)
    return [run_of(each) for each in decisions if each.step in (Step.ACT, Step.AGAIN)]


class GuardRunOperator(TriggerDagRunOperator):
    """Triggers a run that :func:`act` returned, unless Airflow has it already.

    It fails while the DAG is paused, so that no run waits there to act long after its event. Nothing in a
    policy is a template.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, **kwargs: Any) -> None:
        settled = {"logical_date": None, "skip_when_already_exists": True, "fail_when_dag_is_paused": True}
        super().__init__(**{**settled, **kwargs})


def load_policies() -> Policies:
    """Read the policies that the section `[quantconnect]` has or names; none is the default.

    :raises InvalidSettingError: naming the line that cannot be right.
    """
    settings = config.load()
    if settings.policies.strip() and settings.policies_file:
        raise InvalidSettingError(
            "[quantconnect] has policies and policies_file.", advice="Keep the policies in one place."
        )
    if settings.policies_file:
        policies = read_policies_file(settings.policies_file, check_deploy)
    else:
        policies = read_policies(settings.policies, "[quantconnect] policies", check_deploy)
    _check_limits(policies, settings.drawdown_limit)
    return policies


def check_deploy(deploy: Mapping[str, Any]) -> None:
    """Check the params of `quantconnect_deploy` that a policy has.

    :raises InvalidSettingError: naming the param that does not exist or cannot be right.
    """
    params = deploy_params()
    check_names(deploy, params)
    request = DeployRequest.of({"project_id": 1, **deploy})
    if deploy.get("brokerage_conn_id") is not None and request.brokerage_conn_id is None:
        raise InvalidSettingError(
            "brokerage_conn_id is empty.", advice="Name a connection, or leave it out for paper trading."
        )
    for name, value in deploy.items():
        try:
            params[name].resolve(value)
        except ParamValidationError as error:
            problem = str(error).partition("\n")[0].rstrip(".")
            raise InvalidSettingError(
                f"{name}: {problem}.", advice="Write it as the form takes it."
            ) from None


def run_of(decision: Decision) -> dict[str, Any]:
    """Return the arguments of `GuardRunOperator` for what was decided."""
    event, policy = decision.event, decision.policy
    if isinstance(policy, Alert):
        raise ValueError("an alert triggers no run")
    conf: dict[str, Any] = {"approval": policy.approval}
    if isinstance(policy, Redeploy):
        conf |= {**policy.deploy, "project_id": event.project_id, "if_running": "fail"}
    else:
        conf |= {
            "project_ids": [event.project_id],
            "deploy_id": event.deploy_id,
            "action": policy.action,
        }
    return {
        "trigger_dag_id": DAG_OF_ACTION[policy.action],
        "trigger_run_id": run_id_of(event.event_id),
        "conf": conf,
        "note": f"Guard: event {event.event_id} of {event.deploy_id}; {decision.reason}.",
    }


def run_id_of(event_id: str) -> str:
    """Return the id of the one run that acts on an event."""
    if _RUN_ID.fullmatch(event_id):
        return f"guard__{event_id}"
    return f"guard__{hashlib.sha256(event_id.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _check_limits(policies: Policies, drawdown_limit: float) -> None:
    """Refuse a policy that could not act when it should, because there is no event so early."""
    for entry in policies.entries:
        if not isinstance(entry, (Stop, Liquidate)):
            continue
        if not drawdown_limit or (entry.limit is not None and entry.limit < drawdown_limit):
            wanted = "any drawdown" if entry.limit is None else f"a drawdown of {entry.limit:g}"
            raise InvalidSettingError(
                f"A policy is to {entry.action} at {wanted}, and [quantconnect] drawdown_limit is "
                f"{drawdown_limit:g}.",
                advice="No event comes before drawdown_limit, and none with 0: set it to the limit or less.",
            )


def _find_run(ti: RuntimeTaskInstanceProtocol, claim: Claim) -> str | None:
    dag_id, run_id = DAG_OF_ACTION.get(claim.action), run_id_of(claim.event_id)
    return run_id if dag_id and ti.get_dr_count(dag_id=dag_id, run_ids=[run_id]) else None


def _warn_of_unknown_projects(store: Store, policies: Policies) -> None:
    named = policies.named_projects()
    for project_id in sorted(named - stored_projects(store, named)):
        log.warning("A policy names project %s, of which no live deployment is known.", project_id)
