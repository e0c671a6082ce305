"""What a running deployment tells about itself, as lines for a log and as a small result."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.client.models import LiveDeployment

_FIRST = ("Equity", "Return", "Net Profit", "Unrealized", "Holdings", "Fees", "Volume")


def statistics_lines(deployment: LiveDeployment) -> list[str]:
    """Return what people look for first, one line each: status, times, then the runtime statistics.

    The API updates them about once a minute; a fresh deployment has none.
    """
    name = f" {deployment.project_name!r}" if deployment.project_name else ""
    lines = [f"{deployment.deploy_id} of project {deployment.project_id}{name}: {deployment.status}"]
    times = (("launched", deployment.launched_at), ("stopped", deployment.stopped_at))
    lines += [f"  {label}: {moment.isoformat()}" for label, moment in times if moment is not None]
    if deployment.brokerage:
        lines.append(f"  brokerage: {deployment.brokerage}")
    known = deployment.runtime_statistics
    names = [name for name in _FIRST if name in known] + sorted(set(known) - set(_FIRST))
    lines += [f"  {name}: {known[name]}" for name in names]
    if not known:
        lines.append("  no statistics yet")
    if deployment.message.strip():
        lines.append(f"  message: {deployment.message.strip()}")
    return lines


def statistics_result(deployment: LiveDeployment) -> dict[str, Any]:
    """Return ids, status, times and statistics as JSON, fit for XCom: no source, no settings."""
    return {
        "project_id": deployment.project_id,
        "deploy_id": deployment.deploy_id,
        "status": deployment.status,
        "launched_at": deployment.launched_at.isoformat() if deployment.launched_at else None,
        "stopped_at": deployment.stopped_at.isoformat() if deployment.stopped_at else None,
        "brokerage": deployment.brokerage,
        "runtime_statistics": dict(deployment.runtime_statistics),
    }
