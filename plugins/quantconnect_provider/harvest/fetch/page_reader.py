"""Asks for pages of one deployment and turns them into rows for the store."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from quantconnect_provider.client.errors import RefusedError
from quantconnect_provider.client.insights import Insight, InsightPage
from quantconnect_provider.harvest.fetch.page import InsightSource, Page
from quantconnect_provider.store.change_rule import ChangeRule
from quantconnect_provider.store.commit_unit import UNREAD
from quantconnect_provider.store.insight_rows import rows_of
from quantconnect_provider.store.staging import Staging


@dataclass
class PageSize:
    """How many rows one request may ask for: 100, or 99 if the API refuses 100. Found out once."""

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
        found = answer.rows[:size]
        rows = rows_of(
            found,
            project_id=self._project_id,
            deploy_id=self._deploy_id,
            start=start,
            observed_at=answer.requested_at,
        )
        return Page(
            start=start,
            asked=size,
            ids=[UNREAD if insight is None else insight.insight_id for insight in found],
            rows=[self._staging.encode(row) for row in rows],
            observed_at=answer.requested_at,
            length=answer.length,
            settles_at=self._settles_at(found),
            odd_values=[odd for odd in answer.odd_values if odd.index < size],
        )

    def _ask(self, start: int, size: int) -> InsightPage:
        with self._lock:
            self.requests += 1
        return self._source.read_insights(self._project_id, start, start + size, self._deploy_id)

    def _settles_at(self, found: Sequence[Insight | None]) -> datetime | None:
        if self._rule.ended_at is None:
            return None
        settles_at = self._rule.settles_at
        return max(
            (
                settles_at(insight.generated_at, insight.closes_at, bool(insight.score_is_final))
                for insight in found
                if insight is not None
            ),
            default=None,
        )
