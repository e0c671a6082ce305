"""The first read of a long history in one download, checked against a page before it is believed.

The export (live/export/insights) spells its rows differently, numbers deployments in a way of its own, and
mixes all deployments of a project. Nothing of it is taken on trust.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.client.insights import ExportedInsight, Insight
from quantconnect_provider.harvest.fetch.page import InsightSource, Page
from quantconnect_provider.harvest.fetch.page_reader import PageReader
from quantconnect_provider.store.commit_unit import HarvestRecord

log = logging.getLogger(__name__)

_BLOCK = 1000
_FIXED = (
    "generated_at",
    "symbol",
    "ticker",
    "insight_type",
    "direction",
    "magnitude",
    "confidence",
    "weight",
    "reference_value",
    "source_model",
    "group_id",
    "tag",
)
_CHANGING = (
    "closes_at",
    "period_seconds",
    "reference_value_final",
    "score_is_final",
    "score_direction",
    "score_magnitude",
    "estimated_value",
)


class ExportDoubtError(Exception):
    """The export does not show what the pages show."""


class ExportFill:
    """Gives the rows of a deployment's export as pages, and nothing at all where they cannot be believed."""

    def __init__(
        self, source: InsightSource, reader: PageReader, record: HarvestRecord, clock: Callable[[], datetime]
    ) -> None:
        self._source = source
        self._reader = reader
        self._record = record
        self._clock = clock

    def pages(self, first: Page) -> Iterator[Page]:
        """Yield what the export shows behind the *first* page; ends with a warning at the first doubt."""
        deploy_id = self._record.deploy_id
        self._reader.requests += 1
        self._reader.keeps_rows = False
        observed_at, position = self._clock(), first.start + len(first.ids)
        try:
            exported = self._source.export_insights(deploy_id)
            for rows in exported_blocks(exported, self._record.project_id, first.rows):
                yield self._reader.page(rows, position, len(rows), observed_at)
                position += len(rows)
        except (ExportDoubtError, QuantConnectError) as error:
            log.warning(
                "%s: the export is not used from row %s on, pages are read instead: %s",
                deploy_id,
                f"{position:,}",
                error,
            )


def exported_blocks(
    exported: Iterator[ExportedInsight], project_id: int, page: list[Insight]
) -> Iterator[list[Insight]]:
    """Yield the rows behind *page* of the deployment that *page* belongs to, in order, in blocks.

    Which of the export's deployments it is, is told by its rows: the first ones must be those of *page*, in
    the same order and with the same content. Nothing is yielded before all of *page* was found.

    :param page: the rows that the deployment's list begins with.
    :raises ExportDoubtError: if that cannot be shown, or a row belongs to another project.
    """
    number: int | None = None
    proven = 0
    block: list[Insight] = []
    for row in exported:
        if row.project_id not in (None, project_id):
            raise ExportDoubtError(f"it holds a row of project {row.project_id}")
        if row.internal_deploy_id is None:
            raise ExportDoubtError("its rows do not say which deployment they belong to")
        if number is None and row.insight.insight_id == page[0].insight_id:
            number = row.internal_deploy_id
        if row.internal_deploy_id != number:
            continue
        if proven < len(page):
            _compare(page[proven], row.insight)
            proven += 1
            continue
        block.append(row.insight)
        if len(block) >= _BLOCK:
            yield block
            block = []
    if proven < len(page):
        raise ExportDoubtError("it lacks rows that the first page shows")
    if block:
        yield block


def _compare(shown: Insight, exported: Insight) -> None:
    """Check that both are the same insight, as far as it cannot have changed in between."""
    if shown.insight_id != exported.insight_id:
        raise ExportDoubtError("its rows stand in another order")
    for name in (*_FIXED, *_CHANGING):
        one, other = getattr(shown, name), getattr(exported, name)
        if one is not None and other is None:
            raise ExportDoubtError(f"it lacks {name}")
        if name in _FIXED and one is not None and not _is_same(one, other):
            raise ExportDoubtError(f"{name} is {other!r} in it, and {one!r} in the page")


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) < timedelta(seconds=1)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-4)  # some answers are rounded to 4 digits
    return bool(one == other)
