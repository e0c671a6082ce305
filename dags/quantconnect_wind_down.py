"""Stops or liquidates live deployments, and ends when the API shows that each is over."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, TriggerRule, get_current_context, task

from quantconnect_provider import config
from quantconnect_provider.dag_support import wind_down
from quantconnect_provider.dag_support.wind_down_form import wind_down_params
from quantconnect_provider.operators.liquidate_live import QuantConnectLiquidateLiveOperator
from quantconnect_provider.operators.stop_live import QuantConnectStopLiveOperator
from quantconnect_provider.retry import QuantConnectRetryPolicy
from quantconnect_provider.tasks.wind_down_operator import ERROR_KEY

DOC = """
### Stop or liquidate live deployments

1. **choose** checks the form and finds the projects. It fails for a project that was never deployed. Nothing
   is sent yet.
2. **approve** asks a person (under *required actions*) as `approval` says: by default before liquidating.
   Rejected or not answered in time: nothing was sent.
3. **stop** or **liquidate** runs once for each project, and ends when the API shows that its deployment is
   over. A project that fails does not keep the others from being wound down. After liquidating, the task
   reads which holdings are left.
4. **summary** logs a table, and fails with the cause if a project failed.
"""

NAME_OF_PROJECT = "{{ ti.xcom_pull(task_ids='choose', key='targets')[ti.map_index]['name'] }}"
DEPLOYMENT = "{{ params.deploy_id or '' }}"

with DAG(
    "quantconnect_wind_down",
    description="Stop or liquidate live deployments.",
    schedule=None,
    params=wind_down_params(),
    doc_md=DOC,
    tags=["quantconnect", "live"],
    default_args={
        "pool": config.pool(),
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_policy": QuantConnectRetryPolicy(),
    },
) as dag:

    @task
    def choose() -> list[int]:
        """Check the form and find the projects."""
        context = get_current_context()
        targets = wind_down.choose(context["params"])
        context["ti"].xcom_push(key="targets", value=targets)
        return [target["project_id"] for target in targets]

    @task.branch
    def action() -> str:
        """Go on with what the form says: stop or liquidate."""
        return str(get_current_context()["params"]["action"])

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def summary() -> None:
        """Log how each project ended."""
        ti = get_current_context()["ti"]
        wind_down.sum_up(
            ti.xcom_pull(task_ids="choose", key="targets"),
            ti.xcom_pull(task_ids="approve"),
            [result for result in ti.xcom_pull(task_ids=["stop", "liquidate"]) if result],
            [error for error in ti.xcom_pull(task_ids=["stop", "liquidate"], key=ERROR_KEY) if error],
        )

    chosen = choose()
    approve = wind_down.WindDownApproval(task_id="approve")
    stop = QuantConnectStopLiveOperator.partial(
        task_id="stop", deploy_id=DEPLOYMENT, deferrable=True, map_index_template=NAME_OF_PROJECT
    ).expand(project_id=chosen)
    liquidate = QuantConnectLiquidateLiveOperator.partial(
        task_id="liquidate", deploy_id=DEPLOYMENT, deferrable=True, map_index_template=NAME_OF_PROJECT
    ).expand(project_id=chosen)

    chosen >> approve >> action() >> [stop, liquidate] >> summary()
