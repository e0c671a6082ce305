"""A deployment as live/list and live/create describe it."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.deployment import PAPER, Deployment, stamp

LEAN_VERSION = 17202


def row_of(deployment: Deployment) -> dict[str, Any]:
    """Describe a deployment as live/list and live/create do."""
    paper = deployment.brokerage_id == PAPER
    return {
        "projectId": deployment.project_id,
        "deployId": deployment.deploy_id,
        "status": deployment.status,
        "launched": stamp(deployment.launched),
        "stopped": stamp(deployment.stopped),
        "brokerage": deployment.brokerage_shown,
        "subscription": "Strategy Equity",
        "equity": round(deployment.account.portfolio.equity, 2),
        "environment": "paper" if paper else "live",
        "description": "",
        "error": deployment.message,
        "leagues": [],
    }
