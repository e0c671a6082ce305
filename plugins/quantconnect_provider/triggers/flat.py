"""Waits until a liquidated project holds nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider.triggers.project_poll import ProjectPollTrigger

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient


class FlatTrigger(ProjectPollTrigger):
    """Looks at a project's portfolio until it holds nothing, or time is up. It only looks."""

    def ask(self, client: QuantConnectClient) -> tuple[bool, str]:
        """Return whether nothing is held (live/portfolio/read, a snapshot of up to ten minutes ago)."""
        from quantconnect_provider.live.wind_down.holdings import holdings_left

        left = holdings_left(client, self.project_id)
        return not left, f"Project {self.project_id} holds {', '.join(map(str, left)) or 'nothing'}."
