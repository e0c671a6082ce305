"""The smallest DAGs around the operators: one for each thing to do, waiting here or in the triggerer."""

from __future__ import annotations

from airflow.sdk import DAG

from quantconnect_provider.operators.compile import QuantConnectCompileOperator
from quantconnect_provider.operators.live import (
    QuantConnectCreateLiveOperator,
    QuantConnectLiquidateLiveOperator,
    QuantConnectStopLiveOperator,
)

PROJECT = "{{ params.project_id }}"

for where, deferrable in (("deferred", True), ("worker", False)):
    shared = {
        "project_id": PROJECT,
        "quantconnect_conn_id": "{{ params.conn_id }}",
        "deferrable": deferrable,
        "retries": 3,
    }
    deploying = {
        "task_id": "create",
        "live_node_id": "{{ params.node_id }}",
        "if_running": "{{ params.if_running }}",
        **shared,
    }
    params = {
        "project_id": 0,
        "node_id": "",
        "if_running": "fail",
        "compile_id": "",
        "conn_id": "quantconnect_default",
    }
    with DAG(f"deploy_{where}", schedule=None, params=params, is_paused_upon_creation=False):
        QuantConnectCreateLiveOperator(compile_id="{{ params.compile_id }}", **deploying)
    with DAG(f"build_{where}", schedule=None, params=params, is_paused_upon_creation=False):
        build = QuantConnectCompileOperator(task_id="compile", **shared)
        QuantConnectCreateLiveOperator(compile_id=build.output, **deploying)
    with DAG(f"stop_{where}", schedule=None, params=params, is_paused_upon_creation=False):
        QuantConnectStopLiveOperator(task_id="end", **shared)
    with DAG(f"liquidate_{where}", schedule=None, params=params, is_paused_upon_creation=False):
        QuantConnectLiquidateLiveOperator(task_id="end", **shared)
