"""A deployment as one cycle of the watch sees it, beside what the cycle before saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from quantconnect_provider.client.models import LiveSummary
from quantconnect_provider.client.status import Phase, phase_of
from quantconnect_provider.store.live_requests import LiveRequest
from quantconnect_provider.store.watched import Watched


@dataclass
class Sighting:
    """One deployment in one cycle.

    :param before: what the last cycle saw; None if it did not see this deployment.
    :param now: what the next cycle will compare with.
    :param is_newest: whether it is the newest deployment of its project.
    :param requests: what this Airflow asked QuantConnect about the project.
    :param new_lines: log lines since the last read; None if the log was not read.
    :param last_lines: the end of the log; empty if the log was not read.
    :param statistics: runtime statistics of live/read; empty if they were not read.
    """

    row: LiveSummary
    before: Watched | None
    now: Watched
    is_newest: bool
    requests: Sequence[LiveRequest] = ()
    new_lines: list[str] | None = None
    last_lines: list[str] = field(default_factory=list)
    statistics: dict[str, str] = field(default_factory=dict)

    @property
    def phase(self) -> Phase:
        """Where the deployment is on its way."""
        return phase_of(self.row.status, self.row.stopped_at, self.row.launched_at)

    @property
    def at(self) -> datetime:
        """When the cycle began."""
        return self.now.observed_at

    @property
    def ended(self) -> bool:
        """Whether it is over now, and was not when the last cycle saw it."""
        return self.phase.over and (self.before is None or may_trade(self.before))

    def note_equity(self, equity: float | None) -> None:
        """Take an equity that is a number."""
        if equity is None:
            return
        if equity != self.now.equity:
            self.now.equity = equity
            self.now.alive_at = self.at
        self.now.peak_equity = max(equity, self.now.peak_equity or equity)


def may_trade(seen: Watched) -> bool:
    """Whether the deployment could trade when it was last seen."""
    return phase_of(seen.status).may_trade


def sight(
    row: LiveSummary,
    before: Watched | None,
    at: datetime,
    *,
    is_newest: bool,
    requests: Sequence[LiveRequest],
    is_first_cycle: bool,
) -> Sighting:
    """Return the sighting of a row of live/list.

    :param is_first_cycle: whether nothing was watched before: what runs then counts as known here.
    """
    if before is None:
        now = Watched(row.deploy_id, row.project_id, row.status, at, is_known=is_first_cycle, alive_at=at)
    else:
        now = replace(before, status=row.status, observed_at=at)
        if before.status != row.status:
            now.alive_at = at
    if not now.is_known:
        now.is_known = any(request.made(row.deploy_id, row.launched_at) for request in requests)
    sighting = Sighting(row, before, now, is_newest, requests)
    if not sighting.phase.over:
        sighting.note_equity(row.equity)
    return sighting
