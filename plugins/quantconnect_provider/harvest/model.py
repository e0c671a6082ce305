"""What the parts of the harvest hand to each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from quantconnect_provider.client.insights import ExportedInsight, Insight, InsightPage
from quantconnect_provider.harvest.staging import Record


class InsightSource(Protocol):
    """The part of the client that the harvest uses."""

    def read_insights(
        self, project_id: int, start: int, end: int, deploy_id: str | None = None
    ) -> InsightPage:
        """Return insights by position (live/insights/read)."""

    def export_insights(self, deploy_id: str) -> Iterator[ExportedInsight]:
        """Yield the insights of all deployments of a project (live/export/insights)."""


class Target(Protocol):
    """A deployment to harvest: a row of live/list."""

    project_id: int
    deploy_id: str
    project_name: str
    status: str
    brokerage: str
    launched_at: datetime | None
    stopped_at: datetime | None


@dataclass
class State:
    """What the store knows about a deployment."""

    deploy_id: str
    last_position: int | None = None
    last_insight_id: str | None = None
    complete_at: datetime | None = None
    full_at: datetime | None = None
    settled_at: datetime | None = None
    page_size: int | None = None
    status: str | None = None
    stopped_at: datetime | None = None
    observed_at: datetime | None = None


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
    records: list[Record]
    observed_at: datetime
    length: int | None = None
    settles_at: datetime | None = None
    rows: list[Insight] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether there may be rows behind it."""
        return len(self.ids) >= self.asked


@dataclass
class Chunk:
    """Rows of adjacent positions, read and checked against each other, not yet stored.

    :param start: position of the first row.
    :param anchor_id: the insight that stands just before them.
    :param is_window: whether they were read because they may have changed where they stand; if they stand
        elsewhere now, the positions have shifted and the tail must be read first.
    :param at_end: whether the list ends behind them, at the time ``ended_at``.
    """

    start: int
    anchor_id: str | None = None
    is_window: bool = False
    ids: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    at_end: bool = False
    ended_at: datetime | None = None

    @property
    def end(self) -> int:
        """Position of the last row."""
        return self.start + len(self.ids) - 1

    def add(self, page: Page, skip: int = 0) -> None:
        """Append the rows of *page* but for the first *skip*, which are here already."""
        self.ids.extend(page.ids[skip:])
        self.records.extend(page.records[skip:])


@dataclass
class HarvestRecord:
    """A row of ``quantconnect_harvests``; until the end it says that the harvest failed by being cut off."""

    project_id: int
    deploy_id: str
    run_id: str
    started_at: datetime
    finished_at: datetime | None = None
    requests: int = 0
    read: int = 0
    inserted: int = 0
    updated: int = 0
    status: str = "failed"
    error: str | None = "It was cut off."
    harvest_id: str = field(default_factory=lambda: uuid4().hex)


@dataclass
class Unit:
    """What is committed together for one deployment: rows, resume state and the harvest's record.

    :param complete_at: set by the last unit of a harvest that read all it wanted: when it began.
    :param full: whether that harvest read every position.
    :param settled: whether nothing of the deployment can change any more.
    """

    record: HarvestRecord
    chunks: Sequence[Chunk] = ()
    page_size: int | None = None
    complete_at: datetime | None = None
    full: bool = False
    settled: bool = False

    @property
    def deploy_id(self) -> str:
        """The deployment that it belongs to."""
        return self.record.deploy_id

    @property
    def records(self) -> list[Record]:
        """The rows of all chunks."""
        return [record for chunk in self.chunks for record in chunk.records]
