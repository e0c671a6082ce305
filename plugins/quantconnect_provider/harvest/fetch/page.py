"""What is asked of QuantConnect for a harvest, and one page of what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from quantconnect_provider.client.insights import ExportedInsight, Insight, InsightPage
from quantconnect_provider.store.staging import StagedRow


class InsightSource(Protocol):
    """The part of the client that the harvest uses."""

    def read_insights(
        self, project_id: int, start: int, end: int, deploy_id: str | None = None
    ) -> InsightPage:
        """Return insights by position (live/insights/read)."""

    def export_insights(self, deploy_id: str) -> Iterator[ExportedInsight]:
        """Yield the insights of all deployments of a project (live/export/insights)."""


@dataclass
class Page:
    """One answer: the rows from position ``start`` on.

    :param asked: how many rows were asked for.
    :param settles_at: when the last of them settles, for a deployment that is over.
    :param rows: the insights as they came, where somebody wants to compare them.
    """

    start: int
    asked: int
    ids: list[str]
    records: list[StagedRow]
    observed_at: datetime
    length: int | None = None
    settles_at: datetime | None = None
    rows: list[Insight] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether there may be rows behind it."""
        return len(self.ids) >= self.asked
