"""Names in the log what could not be read, and keeps count."""

from __future__ import annotations

import logging

from quantconnect_provider.harvest.fetch.page import Page
from quantconnect_provider.store.commit_unit import UNREAD

log = logging.getLogger("quantconnect_provider.harvest")

_LINES = 10


class OddValueLog:
    """Logs the odd values of one deployment, the first few in full.

    :param name: of the deployment, for the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._positions: set[int] = set()  # pages can be read twice
        self._values = 0
        self.unread_rows = 0

    def note(self, page: Page, skip: int = 0) -> None:
        """Log what was set aside on *page*, its first *skip* rows excepted."""
        odd_values = [odd for odd in page.odd_values if odd.index >= skip]
        new = {page.start + odd.index for odd in odd_values} - self._positions
        self._positions |= new
        for odd in odd_values:
            if page.start + odd.index not in new:
                continue
            self.unread_rows += page.ids[odd.index] == UNREAD
            self._values += 1
            if self._values > _LINES:
                continue
            where = f"{self._name}: position {page.start + odd.index:,}"
            if odd.field:
                log.warning("%s: %s cannot be read and is kept in extra: %s", where, odd.field, odd.value)
            else:
                log.warning("%s: the row cannot be read and is not stored: %s", where, odd.value)

    def summarize(self) -> None:
        """Log how many more values there were than lines."""
        if self._values > _LINES:
            log.warning("%s: %s more values cannot be read.", self._name, f"{self._values - _LINES:,}")

    @property
    def remark(self) -> str:
        """What to add to the deployment's line; empty if every row could be read."""
        rows = "1 row" if self.unread_rows == 1 else f"{self.unread_rows:,} rows"
        return f"; {rows} could not be read" if self.unread_rows else ""
