"""Brings the store up to date with the insights of live deployments, every night after the close."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronTriggerTimetable, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from quantconnect_provider import config
from quantconnect_provider.dag_support import harvest
from quantconnect_provider.dag_support.harvest_form import harvest_params
from quantconnect_provider.operators.insights import QuantConnectExtractInsightsOperator
from quantconnect_provider.operators.publish_parquet import QuantConnectPublishParquetOperator
from quantconnect_provider.operators.trading import QuantConnectExtractTradingOperator
from quantconnect_provider.retry import QuantConnectRetryPolicy

DOC = """
### Harvest the insights of live deployments

1. **list_deployments** asks once which deployments there are.
2. **extract** brings the store up to date, one project a task while they are few, else many. It reads only
   what can have changed since the last harvest. One that fails stops no other.
3. **trading** keeps orders, fills, closed trades and positions in the same way, unless the setting
   `harvest_trading` is off. It fails by itself: insights are harvested all the same.
4. **announce** emits the asset event `quantconnect_insights` with the counts.
5. **publish** brings the Parquet files in the folder `publish_path` up to date, if that setting is given.
   It comes after `trading`, so that one night's orders are in the files of the same night.
6. **summary** logs tables of what was harvested and what was not, and fails if anything was not.

The store is the database of the connection `quantconnect_store`; without one it is the SQLite file
`quantconnect.db` in `AIRFLOW_HOME`.
"""

INSIGHTS = Asset(name="quantconnect_insights", uri="x-quantconnect://insights")
NAME_OF_BATCH = "{{ ti.xcom_pull(task_ids='list_deployments', key='names')[ti.map_index] }}"

with DAG(
    "quantconnect_harvest_insights",
    description="Bring the store up to date with the insights of live deployments.",
    schedule=CronTriggerTimetable("0 20 * * *", timezone="America/New_York"),
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - the timetable has the zone
    catchup=False,
    max_active_runs=1,
    # A short queue: other DAGs' tasks find a free slot, and none of these waits until Airflow fails it.
    max_active_tasks=config.harvest_max_active_tasks(),
    params=harvest_params(),
    doc_md=DOC,
    tags=["quantconnect", "insights"],
    default_args={
        "pool": config.pool(),
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": QuantConnectRetryPolicy(),
    },
) as dag:

    @task
    def list_deployments() -> list[list[dict[str, Any]]]:
        """Ask once which deployments there are, and divide them into batches."""
        context = get_current_context()
        batches, names = harvest.list_batches(context["params"])
        context["ti"].xcom_push(key="names", value=names)
        return batches

    @task(trigger_rule=TriggerRule.ALL_DONE, outlets=[INSIGHTS])
    def announce() -> dict[str, int]:
        """Emit the asset event with the counts."""
        context = get_current_context()
        _, reports = harvest.reports_of(context["ti"])
        counts = harvest.total(reports.values())
        if not counts:
            raise AirflowSkipException("Nothing was harvested.")
        context["outlet_events"][INSIGHTS].extra = {**counts}
        return counts

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def summary() -> None:
        """Say what was harvested and what was not."""
        ti = get_current_context()["ti"]
        trading = harvest.reports_of(ti, "trading")[1] if config.harvests_trading() else None
        harvest.sum_up(*harvest.reports_of(ti), trading)

    batches, summed_up = list_deployments(), summary()
    extract = QuantConnectExtractInsightsOperator.partial(
        task_id="extract", full="{{ params.full }}", map_index_template=NAME_OF_BATCH
    ).expand(deployments=batches)
    batches >> extract >> announce() >> summed_up
    harvested = [extract]
    if config.harvests_trading():
        trading = QuantConnectExtractTradingOperator.partial(
            task_id="trading",
            full="{{ params.full }}",
            map_index_template=NAME_OF_BATCH,
            trigger_rule=TriggerRule.ALL_DONE,
        ).expand(deployments=batches)
        extract >> trading >> summed_up
        harvested.append(trading)
    if config.publish_path():
        harvested >> QuantConnectPublishParquetOperator(
            task_id="publish", path=config.publish_path(), trigger_rule=TriggerRule.ALL_DONE
        )
