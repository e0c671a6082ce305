"""What a harvest gives to the store: rows, resume state and record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from quantconnect_provider.store.staging import StagedRow

UNREAD = ""
"""Stands for the id of a row that cannot be read: it takes its position, and nothing of it is stored."""


class HarvestTarget(Protocol):
    """A deployment to harvest: a row of live/list."""

    @property
    def project_id(self) -> int: ...  # noqa: D102
    @property
    def deploy_id(self) -> str: ...  # noqa: D102
    @property
    def project_name(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def brokerage(self) -> str: ...  # noqa: D102
    @property
    def launched_at(self) -> datetime | None: ...  # noqa: D102
    @property
    def stopped_at(self) -> datetime | None: ...  # noqa: D102


@dataclass
class ResumeState:
    """What the store knows about a deployment; the last position is that of a row that could be read."""

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

    @property
    def last(self) -> int:
        """The last known position; -1 if there is none."""
        return -1 if self.last_position is None else self.last_position


class StagedPage(Protocol):
    """Rows of adjacent positions, as one answer gave them; an id is :data:`UNREAD` where one is missing."""

    ids: list[str]
    rows: list[StagedRow]


@dataclass
class RowRun:
    """Rows of adjacent positions, read and checked against each other, not yet stored.

    :param start: position of the first row.
    :param anchor_id: the insight at the position before; None at the start of a read.
    :param is_window: whether they were read because they may have changed where they stand; if they stand
        elsewhere now, the positions have shifted and the tail must be read first.
    :param ids: the insight at each position, or :data:`UNREAD`.
    :param rows: the rows that could be read.
    :param at_end: whether the list ends with them, at the time ``ended_at``.
    """

    start: int
    anchor_id: str | None = None
    is_window: bool = False
    ids: list[str] = field(default_factory=list)
    rows: list[StagedRow] = field(default_factory=list)
    at_end: bool = False
    ended_at: datetime | None = None

    @property
    def end(self) -> int:
        """Position of the last row."""
        return self.start + len(self.ids) - 1

    @property
    def last_read(self) -> tuple[int, str] | None:
        """Position and id of the last row that could be read."""
        for offset in range(len(self.ids) - 1, -1, -1):
            if self.ids[offset] != UNREAD:
                return self.start + offset, self.ids[offset]
        return None

    def add(self, page: StagedPage, skip: int = 0) -> None:
        """Append the rows of *page* except the first *skip*, which are here already."""
        self.ids.extend(page.ids[skip:])
        self.rows.extend(page.rows[skip - page.ids[:skip].count(UNREAD) :])


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
class CommitUnit:
    """What is committed together for one deployment: rows, resume state and the harvest's record.

    :param complete_at: set by the last unit of a harvest that read all it wanted: when it began.
    :param full: whether that harvest read every position.
    :param settled: whether nothing of the deployment can change any more.
    """

    record: HarvestRecord
    row_runs: Sequence[RowRun] = ()
    page_size: int | None = None
    complete_at: datetime | None = None
    full: bool = False
    settled: bool = False

    @property
    def deploy_id(self) -> str:
        """The deployment that it belongs to."""
        return self.record.deploy_id

    @property
    def rows(self) -> list[StagedRow]:
        """The rows of all runs."""
        return [row for run in self.row_runs for row in run.rows]
