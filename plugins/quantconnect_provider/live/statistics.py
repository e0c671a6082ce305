"""The statistics of a live deployment, as lines for a log."""

from __future__ import annotations

from quantconnect_provider.client.models import LiveDeployment

_FIRST = ("Equity", "Return", "Net Profit", "Unrealized", "Holdings", "Fees", "Volume")


def statistics_lines(deployment: LiveDeployment) -> list[str]:
    """Return status, times and the runtime statistics, one aligned line each, the most asked for first.

    The API updates them about once a minute; a fresh deployment has none.
    """
    name = f" {deployment.project_name!r}" if deployment.project_name else ""
    known = deployment.runtime_statistics
    details: list[tuple[str, str]] = []
    times = (("Launched", deployment.launched_at), ("Stopped", deployment.stopped_at))
    details += [(label, moment.isoformat()) for label, moment in times if moment is not None]
    if deployment.brokerage:
        details.append(("Brokerage", deployment.brokerage))
    names = [name for name in _FIRST if name in known] + sorted(set(known) - set(_FIRST))
    details += [(name, str(known[name])) for name in names]
    if not known:
        details.append(("Statistics", "none yet"))
    if deployment.message.strip():
        details.append(("Message", deployment.message.strip()))
    width = max(len(label) for label, _ in details)
    lines = [f"{deployment.deploy_id} of project {deployment.project_id}{name}: {deployment.status}"]
    lines += [f"  {label:<{width}}  {value}" for label, value in details]
    return lines
