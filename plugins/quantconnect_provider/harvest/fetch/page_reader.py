"""Asks for pages of one deployment and turns them into rows for the store."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

import msgspec

from quantconnect_provider.client.errors import RefusedError
from quantconnect_provider.client.insights import Insight, InsightPage
from quantconnect_provider.harvest.fetch.page import InsightSource, Page
from quantconnect_provider.store.change_rule import ChangeRule
from quantconnect_provider.store.staging import COLUMNS, StagedRow, Staging

_GIVEN = ("project_id", "insight_id", "deploy_id", "position", "generated_at", "closes_at")
_AT_END = ("extra", "first_seen_at", "observed_at")
_plain_values = attrgetter(*COLUMNS[len(_GIVEN) : -len(_AT_END)])
if COLUMNS[: len(_GIVEN)] != _GIVEN or COLUMNS[-len(_AT_END) :] != _AT_END:
    raise AssertionError("the columns of quantconnect_insights are in another order than rows are made in")


@dataclass
class PageSize:
    """How many rows the API lets one request ask for: 100, or only less than 100. Found out once."""

    value: int = 100
    proven: bool = False

    SMALLER = 99


class PageReader:
    """Reads pages of one deployment; may be used from several threads."""

    def __init__(
        self,
        source: InsightSource,
        staging: Staging,
        project_id: int,
        deploy_id: str,
        *,
        size: PageSize,
        rule: ChangeRule,
    ) -> None:
        self._source = source
        self._staging = staging
        self._project_id = project_id
        self._deploy_id = deploy_id
        self._rule = rule
        self._lock = threading.Lock()
        self.size = size
        self.requests = 0
        self.keeps_rows = False

    def read(self, start: int) -> Page:
        """Return the page that begins at *start*; what it holds is not checked here.

        :raises QuantConnectError: if the API does not answer with a page.
        """
        size = self.size.value
        try:
            answer = self._ask(start, size)
        except RefusedError:
            if self.size.proven or size <= PageSize.SMALLER:
                raise
            size = PageSize.SMALLER
            answer = self._ask(start, size)
            self.size.value = size
        self.size.proven = True
        # Where the API counts the end in, the last row is one that was not asked for.
        return self.page(answer.rows[:size], start, size, answer.requested_at, answer.length)

    def page(
        self, rows: list[Insight], start: int, asked: int, observed_at: datetime, length: int | None = None
    ) -> Page:
        """Make a page of *rows* that were asked for at *observed_at*."""
        return Page(
            start=start,
            asked=asked,
            ids=[row.insight_id for row in rows],
            records=list(self._records(rows, start, observed_at)),
            observed_at=observed_at,
            length=length,
            settles_at=self._settles_at(rows),
            rows=rows if self.keeps_rows else [],
        )

    def _ask(self, start: int, size: int) -> InsightPage:
        with self._lock:
            self.requests += 1
        return self._source.read_insights(self._project_id, start, start + size, self._deploy_id)

    def _settles_at(self, rows: list[Insight]) -> datetime | None:
        if self._rule.ended_at is None:
            return None
        settles_at = self._rule.settles_at
        return max(
            (settles_at(row.generated_at, row.closes_at, bool(row.score_is_final)) for row in rows),
            default=None,
        )

    def _records(self, rows: Iterable[Insight], start: int, observed_at: datetime) -> Iterable[StagedRow]:
        encode, observed = self._staging.encode, as_text(observed_at)
        for position, row in enumerate(rows, start):
            yield encode(
                (
                    self._project_id,
                    row.insight_id,
                    self._deploy_id,
                    position,
                    as_text(row.generated_at),
                    as_text(row.closes_at),
                    *_plain_values(row),
                    msgspec.json.encode(row.extra).decode() if row.extra else "{}",
                    observed,
                    observed,
                )
            )


def as_text(time: datetime | None) -> str | None:
    """Write an aware UTC time as both databases read it; in SQLite this is how it is stored."""
    return None if time is None else time.isoformat(" ", "microseconds")
