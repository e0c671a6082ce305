"""Watches live deployments: every ten minutes, what runs, what it is worth, and what went wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, TriggerRule, get_current_context, task

from quantconnect_provider import config
from quantconnect_provider.dag_support import guards, watch
from quantconnect_provider.dag_support import notify as delivery
from quantconnect_provider.retry import QuantConnectRetryPolicy

DOC = """
### Watch live deployments

1. **observe** asks live/list once, and reads log, statistics or insights of a deployment only where that is
   not enough. It keeps `quantconnect_deployments` true, appends to `quantconnect_equity`, and opens and
   resolves events in `quantconnect_events`: died, stale, drawdown, lost its brokerage, and more.
2. **notify** delivers each event once through the notifiers of `[quantconnect] notifiers`, and the daily
   report. What could not be delivered is tried again in the next run.

3. **guard** claims the events that the policies act on; there are none by default. **act** triggers
   `quantconnect_deploy` or `quantconnect_wind_down` for them, at most once for each event.

Nothing in this DAG itself stops, liquidates or deploys.
"""

with DAG(
    "quantconnect_watch",
    description="Watch live deployments, and tell people what went wrong.",
    schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - the timetable has the zone
    catchup=False,
    max_active_runs=1,
    doc_md=DOC,
    tags=["quantconnect", "live"],
    default_args={
        "pool": config.pool(),
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "retry_policy": QuantConnectRetryPolicy(),
    },
) as dag:

    @task
    def observe() -> dict[str, int]:
        """Look at all deployments once."""
        return watch.observe()

    # What an earlier run could not deliver does not wait for QuantConnect to answer.
    @task(trigger_rule=TriggerRule.ALL_DONE)
    def notify() -> dict[str, int]:
        """Deliver what people have not heard of."""
        return delivery.deliver(get_current_context())

    # Not after a failed observe: what is known may be too old to act on.
    @task
    def guard() -> list[dict[str, Any]]:
        """Claim the events that the policies act on, and say which runs to trigger."""
        return guards.act(get_current_context()["ti"])

    observed, guarded = observe(), guard()
    act = guards.GuardRunOperator.partial(
        task_id="act", map_index_template="{{ task.trigger_run_id }}"
    ).expand_kwargs(guarded)

    observed >> notify()
    observed >> guarded >> act
