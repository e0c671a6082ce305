"""The one read that a deployment gets in a cycle, where live/list does not say enough."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.client.status import Phase
from quantconnect_provider.watch.equity import EQUITY
from quantconnect_provider.watch.limits import Limits
from quantconnect_provider.watch.numbers import read_amount
from quantconnect_provider.watch.rules import is_silent
from quantconnect_provider.watch.sighting import Sighting

if TYPE_CHECKING:
    from quantconnect_provider.client import LiveDeployment, LogPage, QuantConnectClient

log = logging.getLogger(__name__)

LOG_WINDOW = 250
LAST_LINES = 20
_INSIGHTS_WINDOW = 100


class Look(Enum):
    """What is read."""

    LOG = "live/logs/read"
    STATISTICS = "live/read"
    INSIGHTS = "live/insights/read"


def choose_look(seen: Sighting, limits: Limits, *, is_news: bool) -> Look | None:
    """Return what to read of a deployment in this cycle, if anything.

    :param is_news: whether an event is about to be opened, which the last log lines explain.
    """
    now = seen.now
    if is_news:
        return Look.LOG
    if seen.phase not in (Phase.RUNNING, Phase.UNKNOWN):
        return None
    if is_silent(seen, limits, seen.at):
        if not is_silent(seen, limits, now.log_read_at):
            return Look.LOG
        if not is_silent(seen, limits, now.insights_read_at):
            return Look.INSIGHTS
    wants_statistics = seen.row.equity is None or seen.phase is Phase.UNKNOWN
    due = []
    if _is_due(now.log_read_at, seen.at, limits.log_seconds):
        due.append((now.log_read_at, Look.LOG))
    if wants_statistics or _is_due(now.statistics_read_at, seen.at, limits.statistics_seconds):
        due.append((now.statistics_read_at, Look.STATISTICS))
    return min(due, key=lambda each: each[0].timestamp() if each[0] else 0.0)[1] if due else None


def take_look(client: QuantConnectClient, seen: Sighting, look: Look, limits: Limits) -> str:
    """Read it, and add it to the sighting; returns why it could not be read, or nothing."""
    project_id, deploy_id, now = seen.row.project_id, seen.row.deploy_id, seen.now
    try:
        if look is Look.LOG:
            start = max(0, (now.log_line or 0) - LAST_LINES)
            page = client.read_live_logs(project_id, deploy_id, start, start + LOG_WINDOW)
            if not note_log(seen, start, page):  # on with it in the next cycle
                now.log_read_at = seen.at - timedelta(seconds=limits.log_seconds)
        elif look is Look.STATISTICS:
            note_statistics(seen, client.read_live(project_id, deploy_id))
        else:
            _look_at_insights(client, seen)
    except QuantConnectError as error:
        log.warning("%s of %s (project %s) failed: %s", look.value, deploy_id, project_id, error)
        return str(error)
    return ""


def note_log(seen: Sighting, start: int, page: LogPage) -> bool:
    """Add lines of the project's log, which begin at *start*, to the sighting.

    Returns whether they are the end of the log.
    """
    now = seen.now
    first_of_mine = page.deployment_offset or 0
    end = start + len(page.lines) if page.length is None else min(start + LOG_WINDOW, page.length)
    length = end if page.length is None else page.length
    known = now.log_line
    now.log_read_at = seen.at
    now.log_line = end if start <= length == end else _near_the_end(first_of_mine, length)
    if known is not None and length != known:
        now.alive_at = seen.at
    seen.new_lines = []
    if known is None and end < length:  # the beginning of a long log: the next read is of its end
        return False
    # Counted from the end, because empty lines are left out of the page.
    fresh = end - max(known or 0, first_of_mine, start)
    seen.new_lines = page.lines[-fresh:] if fresh > 0 else []
    mine = end - max(first_of_mine, start)
    seen.last_lines = page.lines[-min(mine, LAST_LINES) :] if mine > 0 else []
    return start <= length == end


def _near_the_end(first_of_mine: int, length: int) -> int:
    """Return where to read on in a log that grew by more than a window: what counts is how it is now."""
    return max(first_of_mine, length - LOG_WINDOW + LAST_LINES)


def note_statistics(seen: Sighting, live: LiveDeployment) -> None:
    """Add an answer of live/read to the sighting; one about another deployment only says that it was read."""
    seen.now.statistics_read_at = seen.at
    if live.deploy_id != seen.row.deploy_id:
        return
    seen.statistics = live.runtime_statistics
    seen.now.security_types = live.security_types or seen.now.security_types
    seen.row.project_name = live.project_name or seen.row.project_name
    if seen.row.equity is None:
        seen.note_equity(read_amount(live.runtime_statistics.get(EQUITY)))


def _look_at_insights(client: QuantConnectClient, seen: Sighting) -> None:
    now = seen.now
    start = now.insights or 0
    page = client.read_insights(
        seen.row.project_id, start, start + _INSIGHTS_WINDOW, deploy_id=seen.row.deploy_id
    )
    if now.insights is None:  # nothing to compare with yet
        now.insights = max(len(page.rows), page.length or 0)
        return
    if page.rows and not (page.length is not None and page.length <= start):
        now.insights = start + len(page.rows)
        now.alive_at = seen.at
    now.insights_read_at = seen.at


def _is_due(read_at: datetime | None, at: datetime, seconds: float) -> bool:
    # A time in the future comes from a clock that was set back.
    return read_at is None or read_at > at or (at - read_at).total_seconds() >= seconds
