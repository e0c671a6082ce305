"""What a soak runs on: the account in the sandbox, the faults, and Airflow's settings."""

from __future__ import annotations

import json
from typing import Any

from dev.airflow_processes import SHORT_DELAYS

SPEED = 1440.0
DAY_SECONDS = 86_400 / SPEED
RUNNING, STOPPED = 4, 1
SLOW = "Slow starter"

FAULT_SHARE = 0.05
FAULTS: list[dict[str, Any]] = [
    {"drop": True, "when": "before"},
    {"drop": True, "when": "after"},
    {"truncate": True, "when": "after"},
    {"status": 500, "when": "before"},
    {"status": 502, "when": "after"},
    {"status": 429, "retry_after": 1.0},
    {"status": 200, "body": "html", "when": "after"},
    {"delay_seconds": 2.0},
]
"""Each strikes an equal part of the requests, all of them together `FAULT_SHARE`."""

POLICIES = [
    {"event": "died", "projects": "all", "action": "redeploy", "deploy": {}, "at_most": 20},
    {"event": "drawdown", "projects": "all", "action": "liquidate", "approval": "never"},
]

SETTINGS = {
    "AIRFLOW__CORE__PARALLELISM": "6",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    # Only what is triggered runs: Airflow's own schedule knows no day of a minute.
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",
    "AIRFLOW__QUANTCONNECT__HARVEST_BATCH_SIZE": "3",
    "AIRFLOW__QUANTCONNECT__STALE_MINUTES": "0",  # a cycle of the watch takes hours here
    "AIRFLOW__QUANTCONNECT__POLICIES": json.dumps(POLICIES),
}

LOCAL_SETTINGS = f"""{SHORT_DELAYS}
from dev.soak.clock import use_sandbox_time

use_sandbox_time()
"""


def scenario() -> dict[str, Any]:
    """Return an account whose algorithms trade all day, in a time that is past, and 5 % of faults."""
    history = {"count": 500, "every_seconds": 600, "period_seconds": 86_400}
    return {
        "seed": 11,
        "clock": {"start": "2026-01-05T00:00:00Z", "speed": 0},
        "api": {"create_while_running": "second"},  # a duplicate must be possible, or nothing would be proven
        "nodes": {"live": [{"name": f"node {number}"} for number in range(1, 20)]},
        "defaults": {
            "deploy": {"log_every_seconds": 3600},
            "insights": {
                "history": history,
                "growth": {"every_seconds": 300, "period_seconds": 86_400},
                "score_seconds": 3600,
                "never_expiring_every": 50,
            },
            "orders": {"history": {"count": 50, "every_seconds": 600}, "every_seconds": 1800},
        },
        "projects": [
            {"name": "Strategy {n}", "count": RUNNING, "deployments": [{"status": "Running"}]},
            {"name": "New strategy {n}", "count": STOPPED},
            # Starts so slowly that its deploy goes on in the triggerer.
            {"name": SLOW, "deploy": {"starting": {"InQueue": 60, "Initializing": 6 * 3600}}},
        ],
        "faults": [
            {"endpoint": "*", "times": None, "probability": FAULT_SHARE / len(FAULTS), **fault}
            for fault in FAULTS
        ],
    }
