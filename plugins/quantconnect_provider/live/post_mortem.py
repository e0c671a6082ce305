"""Says why a deployment ended, with its last log lines."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.deployment_errors import DeploymentFailedError
from quantconnect_provider.plain_text import visible

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_MOST_LINES = 250  # of one live/logs/read


def last_log_lines(client: QuantConnectClient, project_id: int, deploy_id: str, lines: int = 20) -> list[str]:
    """Return the last *lines* of a deployment's log; none if it cannot be read now.

    The log lags the deployment by about five minutes.
    """
    try:
        head = client.read_live_logs(project_id, deploy_id, 0, 1)
        first, end = head.deployment_offset or 0, head.length or _MOST_LINES
        start = max(first, end - lines) if head.length else first
        return client.read_live_logs(project_id, deploy_id, start, max(end, start + 1)).lines[-lines:]
    except QuantConnectError as error:
        log.warning("The log of %s cannot be read: %s", deploy_id, error)
        return []


def deployment_failed(
    client: QuantConnectClient, project_id: int, deploy_id: str, what: str
) -> DeploymentFailedError:
    """Return the error for a deployment that ended: *what* happened, the API's words, its last log lines."""
    try:
        newest = client.read_live(project_id)
        message = newest.message.strip() if newest.deploy_id == deploy_id else ""
    except QuantConnectError as error:
        log.warning("live/read of project %s failed: %s", project_id, error)
        message = ""
    said = f" The API says: {visible(message)}" if message and message not in what else ""
    lines = last_log_lines(client, project_id, deploy_id)
    shown = (
        "\nIts last log lines:\n" + "\n".join(f"  {visible(line)}" for line in lines) + "\n" if lines else ""
    )
    return DeploymentFailedError(f"{what}{said}{shown}", endpoint="live/read")
