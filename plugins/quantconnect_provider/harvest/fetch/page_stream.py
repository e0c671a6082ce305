"""Fetches the pages of one deployment ahead of their reader, and hands them out in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from quantconnect_provider.harvest.fetch.concurrency import Concurrency
from quantconnect_provider.harvest.fetch.page import Page
from quantconnect_provider.harvest.fetch.page_reader import PageReader
from quantconnect_provider.harvest.fetch.thread_pool import FetchPool

_AHEAD = 48
"""Pages that may wait for the reader: enough to go on fetching while it writes to the database."""


class PageStream:
    """Pages in order: those that are needed in any case, then on from the last of these without end.

    Every page after the needed ones begins with the last row of the page before it, so that the reader can
    see that nothing moved in between. They are fetched speculatively: as many at a time as full pages have
    arrived, so that a short tail costs no extra request and a long one soon has many under way. None is
    requested after a page that was not full.

    :param starts: positions at which needed pages begin; the last one begins the tail.
    :param limit: requests under way at the same time, at most.
    """

    def __init__(
        self,
        pool: FetchPool,
        reader: PageReader,
        starts: Sequence[int],
        *,
        limit: int,
    ) -> None:
        self._pool = pool
        self._reader = reader
        self._starts = starts
        self._concurrency = Concurrency(limit)
        self._changed = threading.Condition()
        self._arrived: dict[int, Page | BaseException] = {}
        self._issued = 0
        self._taken = 0
        self._under_way = 0
        self._full_tail_pages = 0
        self._next_start = 0
        self._only_first = True
        self._stopped = False
        self.length: int | None = None
        self._length_is_wrong = False

    def prefetch(self) -> None:
        """Request the first page and no more for now."""
        self._fill()

    def next(self) -> Page:
        """Return the next page, waiting for it.

        :raises QuantConnectError: if the API did not answer this request with a page.
        """
        with self._changed:
            self._only_first = False
        self._fill()
        with self._changed:
            while self._taken not in self._arrived:
                self._changed.wait()
            result = self._arrived.pop(self._taken)
            self._taken += 1
        self._fill()
        if isinstance(result, BaseException):
            raise result
        return result

    def close(self) -> None:
        """Request nothing more; what is under way is not waited for."""
        with self._changed:
            self._stopped = True
            self._arrived.clear()

    def _fill(self) -> None:
        """Issue what may be issued now."""
        while True:
            with self._changed:
                if not self._may_issue():
                    return
                index = self._issued
                start = self._starts[index] if index < len(self._starts) else self._next_start
                self._next_start = start + self._reader.size.value - 1
                self._issued += 1
                self._under_way += 1
            self._pool.submit(lambda index=index, start=start: self._fetch(index, start))  # type: ignore[misc]

    def _may_issue(self) -> bool:
        if self._stopped or len(self._arrived) >= _AHEAD:
            return False
        # The more pages are ready, the fewer are fetched: threads that parse slow down the writer.
        enough = max(1, self._concurrency.useful * (_AHEAD - len(self._arrived)) // _AHEAD)
        if self._under_way >= (enough if self._reader.size.proven else 1):
            return False
        if self._issued < len(self._starts):
            return not (self._only_first and self._issued)
        # From here on pages are speculative, until the page before has arrived and was full.
        if not self._full_tail_pages:
            return False
        if self._under_way and self.length is not None and self._next_start >= self.length:
            return False
        return self._under_way < self._full_tail_pages

    def _fetch(self, index: int, start: int) -> None:
        result: Page | BaseException
        began, worked = time.perf_counter(), time.thread_time()
        try:
            result = self._reader.read(start)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that reads
            result = error
        seconds, work_seconds = time.perf_counter() - began, time.thread_time() - worked
        with self._changed:
            self._concurrency.note(seconds, work_seconds)
            self._under_way -= 1
            if not self._stopped:
                self._arrived[index] = result
                self._learn(index, result)
            self._changed.notify_all()
        self._fill()

    def _learn(self, index: int, result: Page | BaseException) -> None:
        if isinstance(result, BaseException):
            self._issued_no_more()
        elif index >= len(self._starts) - 1:
            if result.is_full:
                self._full_tail_pages += 1
            else:
                self._issued_no_more()
            self._note_length(result)
        if index == len(self._starts) - 1 and isinstance(result, Page):
            # The size of a page may only have been found out by this one.
            self._next_start = result.start + result.asked - 1

    def _issued_no_more(self) -> None:
        self._full_tail_pages = -(1 << 30)

    def _note_length(self, page: Page) -> None:
        """Use ``length`` only to limit how far ahead to fetch, until an answer contradicts it."""
        reached = page.start + len(page.ids)
        if page.length is None or page.length < reached or (self.length or reached) < reached:
            self._length_is_wrong = True
        self.length = None if self._length_is_wrong else page.length
