"""Gives the pages of one deployment, each checked to follow from what is known, or finds a shift."""

from __future__ import annotations

from collections.abc import Sequence

from quantconnect_provider.client.errors import (
    NotFoundError,
    QuantConnectError,
    RefusedError,
    ServerError,
    UnreadableAnswerError,
)
from quantconnect_provider.harvest.fetch.page import Page
from quantconnect_provider.harvest.fetch.page_reader import PageReader
from quantconnect_provider.harvest.fetch.page_stream import PageStream
from quantconnect_provider.harvest.fetch.thread_pool import FetchPool
from quantconnect_provider.harvest.harvest_errors import PositionsShiftedError
from quantconnect_provider.store.commit_unit import UNREAD

PAST_THE_END = (RefusedError, NotFoundError, ServerError)
"""What the API may answer to a start past the end of the list; it is not documented."""

_MOST_UNREAD = 10_000
"""Rows in a row that cannot be read: what goes on like that is no list of insights, and might never end."""


class CheckedPages:
    """The pages of one deployment in the order of a plan; its methods may raise ``PositionsShiftedError``."""

    def __init__(self, pool: FetchPool, reader: PageReader, limit: int) -> None:
        self._pool = pool
        self._reader = reader
        self._limit = limit
        self._stream: PageStream | None = None
        self._unread = 0  # rows that could not be read since the last one that could

    @property
    def length(self) -> int | None:
        """How long the list seems to be, if the API says something plausible."""
        return self._stream.length if self._stream else None

    def begin(self, starts: Sequence[int]) -> None:
        """Go on with the pages at *starts*, the last of which begins the tail."""
        self.close()
        self._stream = PageStream(self._pool, self._reader, starts, limit=self._limit)

    def prefetch(self) -> None:
        """Request the first page, before it is this deployment's turn."""
        if self._stream:
            self._stream.prefetch()

    def close(self) -> None:
        """Request nothing more."""
        if self._stream:
            self._stream.close()

    def window(self, start: int, last: int) -> Page:
        """Return the page at *start*, which lies before the *last* known row."""
        try:
            page = self._next()
        except PAST_THE_END as error:
            raise self._shift_or_failure(start, error) from error
        if len(page.ids) < min(page.asked, last - start + 1):
            raise PositionsShiftedError(f"the list ends before position {last:,}")
        return page

    def first(self, anchor: tuple[int, str] | None) -> Page:
        """Return the tail's first page, on which the *anchor* must stand where it stood."""
        self._unread = 0  # after a shift the same rows are read again
        try:
            page = self._next()
        except PAST_THE_END as error:
            if anchor is None:
                raise
            raise self._shift_or_failure(anchor[0], error) from error
        if anchor is not None:
            offset = anchor[0] - page.start
            if offset >= len(page.ids):
                raise PositionsShiftedError(f"the list ends before position {anchor[0]:,}")
            if page.ids[offset] == UNREAD:
                raise PositionsShiftedError(f"the row at position {anchor[0]:,} cannot be read any more")
            if page.ids[offset] != anchor[1]:
                raise PositionsShiftedError(f"another row stands at position {anchor[0]:,}")
        return page

    def following(self, page: Page) -> tuple[Page, int]:
        """Return the page after *page*, and how many of its rows are known from that.

        Its first row existed a moment ago, so when it is refused, it is requested once more.

        :raises UnreadableAnswerError: if thousands of rows in a row cannot be read.
        """
        try:
            following = self._next()
        except PAST_THE_END:
            start = page.start + page.asked - 1
            self.begin([start])
            try:
                following = self._next()
            except PAST_THE_END as error:
                raise self._shift_or_failure(start, error) from error
        known = overlap(page, following)
        self._count_unread(following.ids[known:])
        return following, known

    def _count_unread(self, ids: Sequence[str]) -> None:
        for insight_id in ids:
            self._unread = self._unread + 1 if insight_id == UNREAD else 0
        if self._unread > _MOST_UNREAD:
            raise UnreadableAnswerError(
                f"live/insights/read shows {self._unread:,} rows in a row that are no insights, and was not "
                f"read on. The log shows what they hold; the next harvest tries again.",
                endpoint="live/insights/read",
            )

    def _next(self) -> Page:
        if self._stream is None:
            raise RuntimeError("begin() comes first")
        return self._stream.next()

    def _shift_or_failure(self, position: int, error: QuantConnectError) -> PositionsShiftedError:
        """Return the shift that *error* is; if the first page fails as well, that is raised."""
        self._reader.read(0)
        return PositionsShiftedError(f"the API does not show position {position:,} any more: {error}")


def overlap(page: Page, following: Page) -> int:
    """Return how many rows of *following* are known from *page*.

    :raises PositionsShiftedError: if they do not stand where they stood.
    """
    if _last_read(following) == _last_read(page) is not None and set(following.ids) <= set(page.ids):
        return len(following.ids)
    expected = page.ids[following.start - page.start :]
    if not expected or following.ids[: len(expected)] != expected:
        raise PositionsShiftedError(f"another row stands at position {following.start:,} than a moment ago")
    return len(expected)


def _last_read(page: Page) -> tuple[str, int] | None:
    """Return the last insight of a page, and how many rows that cannot be read come after it."""
    for unread, insight_id in enumerate(reversed(page.ids)):
        if insight_id != UNREAD:
            return insight_id, unread
    return None
