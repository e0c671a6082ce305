"""Several consecutive slots that belong to one process, and how many it should take at a time."""

from __future__ import annotations

_LONGEST_SECONDS = 1.0  # of the allowance: the most that is lost when a worker dies
_PROMPT_SLOTS = 8  # used without a gap, for each slot that a lease may have
_MOST_CAUTIOUS = 32


class Lease:
    """Consecutive slots, on this process's monotonic clock.

    :param start: moment of the first slot, in seconds.
    :param spacing: seconds from one slot to the next.
    :param slots: how many there are.
    """

    def __init__(self, start: float, spacing: float, slots: int) -> None:
        self.spacing = spacing
        self._next = start
        self._left = slots

    def take(self, now: float) -> float | None:
        """Return the moment of the next slot that is not over; None when there is none left.

        A slot is over when the one after it begins: used later, it could coincide with another worker's.
        """
        over = min(self._left, max(0, int((now - self._next) / self.spacing)))
        self._left -= over
        self._next += over * self.spacing
        if not self._left:
            return None
        slot = self._next
        self._next += self.spacing
        self._left -= 1
        return slot

    def has_lapsed(self, now: float) -> bool:
        """Whether a slot of it goes by unused."""
        return self._left > 0 and now - self._next >= self.spacing


class LeaseSize:
    """How many slots the next lease should have: one at first, more for a process that uses every one.

    Unused slots are lost to all workers. So a lease has an eighth of the slots used without a gap before it:
    the most that a short task can lose at its end. Every gap makes the next leases smaller.
    """

    def __init__(self) -> None:
        self._prompt = 0
        self._caution = 1

    def used(self) -> None:
        """Note that a slot was used in time."""
        self._prompt += 1

    def lapsed(self) -> None:
        """Note that a leased slot went by unused."""
        self._prompt = 0
        self._caution = min(self._caution * 2, _MOST_CAUTIOUS)

    def slots(self, requests_per_minute: float) -> int:
        """Return the size of the next lease at this rate."""
        longest = requests_per_minute / 60.0 * _LONGEST_SECONDS
        return max(1, int(min(longest, self._prompt / (_PROMPT_SLOTS * self._caution))))
