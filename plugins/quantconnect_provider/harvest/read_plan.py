"""Decides what to read of a deployment: the end of its list, and the windows that can have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from quantconnect_provider.client.status import phase_of
from quantconnect_provider.harvest.options import HarvestOptions
from quantconnect_provider.store.change_rule import ChangeRule
from quantconnect_provider.store.commit_unit import HarvestTarget, ResumeState


@dataclass
class ReadPlan:
    """What to read.

    :param windows: positions at which pages begin that are read because of insights that may have changed.
    :param tail: position from which everything is read to the end of the list.
    :param anchor: the last known row, position and id; the tail's first page must show it where it was.
    :param reason: why, for the log.
    """

    tail: int
    reason: str
    windows: list[int] = field(default_factory=list)
    anchor: tuple[int, str] | None = None

    @property
    def starts(self) -> list[int]:
        """Where the pages begin that are needed in any case."""
        return [*self.windows, self.tail]


def when_ended(target: HarvestTarget, state: ResumeState, listed_at: datetime) -> datetime | None:
    """Return the latest time at which a deployment stopped; None while it may be running."""
    if target.stopped_at is not None:
        return target.stopped_at
    if not phase_of(target.status).over:
        return None
    # It has ended, but the API does not say when: no later than it was first seen so.
    return state.observed_at if state.status == target.status and state.observed_at else listed_at


def is_settled(target: HarvestTarget, state: ResumeState) -> bool:
    """Whether nothing can have changed since all of it was read; a restart ends that."""
    return state.settled_at is not None and state.stopped_at == target.stopped_at


def change_rule(
    target: HarvestTarget, state: ResumeState, listed_at: datetime, settings: HarvestOptions
) -> ChangeRule:
    """Return for how long the insights of a deployment can change."""
    return ChangeRule(settings.rescore_period, when_ended(target, state, listed_at))


def make_read_plan(
    state: ResumeState, open_positions: Sequence[int], page_size: int, settings: HarvestOptions, now: datetime
) -> ReadPlan:
    """Decide what to read of a deployment that is not settled."""
    if state.last_position is None or state.last_insight_id is None:
        return ReadPlan(0, "first read")
    if settings.full:
        return ReadPlan(0, "full read, as requested")
    period = timedelta(days=settings.full_pass_days)
    if settings.full_pass_days and state.full_at and state.full_at + period <= now:
        return ReadPlan(0, f"full read, the last was {(now - state.full_at).days} days ago")
    windows, tail = cover(open_positions, state.last_position, page_size)
    reason = f"new rows from position {tail:,}"
    if open_positions:
        insights = "insight" if len(open_positions) == 1 else "insights"
        reason += f", {len(open_positions):,} open {insights} from position {open_positions[0]:,}"
    return ReadPlan(tail, reason, windows, (state.last_position, state.last_insight_id))


def cover(positions: Sequence[int], last: int, page_size: int) -> tuple[list[int], int]:
    """Cover sorted *positions*, the row at *last* and one after it with the fewest pages.

    Returns where the pages begin: the windows, and the one that holds *last* and goes on after it.
    """
    windows: list[int] = []
    covered = -1
    for position in positions:
        if position <= covered:
            continue
        if position > last + 1 - page_size:
            return windows, min(position, last)
        windows.append(position)
        covered = position + page_size - 1
    return windows, last
