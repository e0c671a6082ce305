"""Finds the last row that still stands where it is stored, after positions have shifted."""

from __future__ import annotations

from collections.abc import Callable

from quantconnect_provider.harvest.fetch.checked_pages import PAST_THE_END
from quantconnect_provider.harvest.fetch.page import Page
from quantconnect_provider.store.commit_unit import UNREAD


def last_match(
    read: Callable[[int], Page], stored: Callable[[int, int], dict[int, str]], last: int, page_size: int
) -> int:
    """Return the last position at which the API shows the row that is stored there; -1 if there is none.

    :param read: asks the API for the page at a position.
    :param stored: returns the stored ids between two positions, both included.
    :param last: the last stored position.

    Rows are only ever added at the end or removed, so all rows before one that stands where it stood do so
    too. That makes it a search: back from the end in growing steps, then halving; about two requests for
    every doubling of the distance.
    """
    good, bad = -1, last + 1
    step = page_size
    start = max(0, last - page_size // 2)
    while good + 1 < bad:
        if start == last - page_size + 1 and start > 0:
            # An API that answers a start past the end with its last page would seem to confirm this one.
            start -= 1
        end = min(start + page_size - 1, last)
        matching = _probe(read, stored, start, end)
        if matching:
            good = start + matching - 1
            if good < end:
                return good
        else:
            bad = start
        if good < 0:
            if bad == 0:
                return -1
            step *= 2
            start = max(0, start - step)
        else:
            between = bad - good - 1
            start = good + 1 if between <= page_size else good + 1 + between // 2
    return good


def _probe(
    read: Callable[[int], Page], stored: Callable[[int, int], dict[int, str]], start: int, end: int
) -> int:
    """Return how many rows from *start* to *end* on stand where they are stored."""
    try:
        ids = read(start).ids
    except PAST_THE_END:
        if start == 0:
            raise
        ids = []
    known = stored(start, end)
    matching = 0
    for offset in range(end - start + 1):
        expected = known.get(start + offset)
        found = ids[offset] if offset < len(ids) else None
        if found is None:
            break
        if expected is None or found == UNREAD:
            continue  # says nothing about positions
        if expected != found:
            break
        matching = offset + 1
    return matching
