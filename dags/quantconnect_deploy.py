"""Deploys a QuantConnect project to live trading: plan, ask, compile, deploy, wait until it runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, get_current_context, task

from quantconnect_provider import config
from quantconnect_provider.dag_support import deploy
from quantconnect_provider.dag_support.deploy_form import deploy_params
from quantconnect_provider.operators.compile import QuantConnectCompileOperator
from quantconnect_provider.operators.live import QuantConnectCreateLiveOperator, QuantConnectReadLiveOperator
from quantconnect_provider.retry import QuantConnectRetryPolicy
from quantconnect_provider.tasks.deploy_request import DeployRequest

DOC = """
### Deploy a project to live trading

1. **plan** checks the form, the connections, the project and its node, and logs what is going to happen. It
   fails where the run is bound to fail. Nothing is sent yet.
2. **approve** asks a person (under *required actions*) as `approval` says: by default unless it is paper
   trading. Rejected or not answered in time: nothing was sent.
3. **compile** builds the project; a build error shows the compiler's lines.
4. **deploy** makes the deployment, at most once whatever happens, and waits until it runs. Runs take turns
   here, so that no two deploy the same project at the same moment.
5. **statistics** logs the statistics of the deployment.

Clearing **deploy** goes on with the deployment that it made. Nothing in this DAG liquidates; it stops a
deployment only with `if_running` = `redeploy`, to make room for the new one.
"""

with DAG(
    "quantconnect_deploy",
    description="Compile a project, deploy it live, and wait until it runs.",
    schedule=None,
    params=deploy_params(),
    doc_md=DOC,
    tags=["quantconnect", "live"],
    render_template_as_native_obj=True,
    default_args={
        "pool": config.pool(),
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_policy": QuantConnectRetryPolicy(),
    },
) as dag:

    @task
    def plan() -> dict[str, Any]:
        """Check everything, and log what is going to happen."""
        return deploy.plan(get_current_context()["params"])

    approve = deploy.DeployApproval(task_id="approve")

    build = QuantConnectCompileOperator(
        task_id="compile", project_id="{{ params.project_id }}", deferrable=True
    )

    # One at a time, so that no two runs find nothing running and deploy the same project twice.
    create = QuantConnectCreateLiveOperator(
        task_id="deploy",
        **DeployRequest.templates(),
        compile_id=build.output,
        only_paper="{{ ti.xcom_pull(task_ids='approve')['is_paper'] }}",
        deferrable=True,
        max_active_tis_per_dag=1,
    )

    statistics = QuantConnectReadLiveOperator(
        task_id="statistics",
        project_id="{{ params.project_id }}",
        deploy_id="{{ ti.xcom_pull(task_ids='deploy')['deploy_id'] }}",
    )

    plan() >> approve >> build >> create >> statistics
