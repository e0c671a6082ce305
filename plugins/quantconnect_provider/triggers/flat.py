"""Waits until a liquidated project holds nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider.live.wind_down.holdings import holdings_left
from quantconnect_provider.triggers.project_poll import ProjectPollTrigger

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient


class FlatTrigger(ProjectPollTrigger):
    """Polls a project's portfolio until it holds nothing, or time is up."""

    def ask(self, client: QuantConnectClient) -> tuple[bool, str]:
        """Return whether nothing is held (live/portfolio/read, a snapshot of up to ten minutes ago)."""
        left = holdings_left(client, self.project_id)
        return not left, f"Project {self.project_id} holds {', '.join(map(str, left)) or 'nothing'}."
