"""What is asked of QuantConnect for a harvest, and one page of what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from quantconnect_provider.client.insights import InsightPage
from quantconnect_provider.client.odd_values import OddValue
from quantconnect_provider.store.staging import StagedRow


class InsightSource(Protocol):
    """The part of the client that the harvest uses."""

    def read_insights(
        self, project_id: int, start: int, end: int, deploy_id: str | None = None
    ) -> InsightPage:
        """Return insights by position (live/insights/read)."""


@dataclass
class Page:
    """One answer: the rows from position ``start`` on.

    :param asked: how many rows were asked for.
    :param ids: the insight at each position, or ``UNREAD``.
    :param rows: the rows that could be read, as the store takes them.
    :param settles_at: when the last of them settles, for a deployment that has ended.
    :param odd_values: what was set aside.
    """

    start: int
    asked: int
    ids: list[str]
    rows: list[StagedRow]
    observed_at: datetime
    length: int | None = None
    settles_at: datetime | None = None
    odd_values: list[OddValue] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether the list may go on after it."""
        return len(self.ids) >= self.asked
