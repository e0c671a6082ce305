"""Computes how good the predictions were, after each harvest."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG, Asset

from quantconnect_provider import config
from quantconnect_provider.dag_support.scorecard_form import scorecard_params
from quantconnect_provider.operators.scorecard import QuantConnectScorecardOperator
from quantconnect_provider.retry import QuantConnectRetryPolicy

DOC = """
### Compute scorecards

Runs when the harvest has updated the asset `quantconnect_insights`. **compute** brings the table
`quantconnect_scorecards` up to date: for each project, source model, ticker and horizon the number of
insights, their hit rate, mean signed return, information coefficient and calibration. Only what has changed
is computed.

Everything happens in the store's database; QuantConnect is asked nothing.
"""

INSIGHTS = Asset(name="quantconnect_insights", uri="x-quantconnect://insights")

with DAG(
    "quantconnect_scorecard",
    description="Compute how good the predictions of live deployments were.",
    schedule=INSIGHTS,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    params=scorecard_params(),
    doc_md=DOC,
    tags=["quantconnect", "insights"],
    default_args={
        "pool": config.pool(),
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": QuantConnectRetryPolicy(),
    },
) as dag:
    QuantConnectScorecardOperator(
        task_id="compute", project_ids="{{ params.project_ids }}", full="{{ params.full }}"
    )
