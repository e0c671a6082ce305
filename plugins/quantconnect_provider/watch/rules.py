"""What counts as a problem of a deployment: pure functions of what two cycles saw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from quantconnect_provider.client.status import RESTARTABLE, Phase
from quantconnect_provider.store.events import (
    CRITICAL,
    DIED,
    DISCONNECTED,
    DRAWDOWN,
    STALE,
    STOPPED_ELSEWHERE,
    UNKNOWN_HERE,
    WARNING,
    ZERO_EQUITY,
    Event,
    Problem,
)
from quantconnect_provider.watch.limits import Limits
from quantconnect_provider.watch.sighting import Sighting

DISCONNECTED_TEXTS = (
    "orders cannot be submitted when disconnected",
    "history requests cannot be submitted when disconnected",
    "check phone for two-factor authentication",
)
"""Log lines, in lower case, of an algorithm that runs without its brokerage: its status stays Running."""

CONNECTED_TEXTS = ("reconnected", "connection restored", "launching analysis for")
"""Log lines, in lower case, that end that."""

FORGOTTEN_AFTER = timedelta(days=1)
"""A deployment that was over for longer when the watch first saw it is no news."""

_RESOLVED_BELOW = 0.9  # of the limit, so that equity around it does not open one event after the other


def problems_of_status(seen: Sighting) -> list[Problem]:
    """Return what the status says: died, stopped by somebody else, or unknown here."""
    if seen.ended and (seen.is_newest or seen.before is not None) and not _is_old(seen):
        return _end(seen)
    if seen.phase is Phase.RUNNING and not seen.now.is_known:
        text = f"Runs at QuantConnect ({seen.row.status}), and no run of this Airflow deployed it."
        return [_problem(seen, UNKNOWN_HERE, WARNING, text)]
    return []


def problems_of_equity(seen: Sighting, limits: Limits) -> list[Problem]:
    """Return what the equity says: gone to zero, or too far below its highest."""
    equity, peak = seen.now.equity, seen.now.peak_equity
    if seen.phase is not Phase.RUNNING or equity is None or peak is None or peak <= 0:
        return []
    found = []
    if equity <= 0:
        found.append(_problem(seen, ZERO_EQUITY, CRITICAL, f"Equity is {equity:,.2f}.", equity=equity))
    lost = drawdown(seen)
    if limits.drawdown and lost >= limits.drawdown:
        text = f"Equity {equity:,.2f} is {lost:.1%} below its highest, {peak:,.2f}."
        found.append(
            _problem(
                seen, DRAWDOWN, CRITICAL, text, equity=equity, peak=peak, drawdown=lost, limit=limits.drawdown
            )
        )
    return found


def drawdown(seen: Sighting) -> float:
    """Return the loss from the highest equity seen, as a fraction of that."""
    equity, peak = seen.now.equity, seen.now.peak_equity
    return (peak - equity) / peak if equity is not None and peak else 0.0


def is_silent(seen: Sighting, limits: Limits, until: datetime | None) -> bool:
    """Whether nothing had changed for longer than allowed at the time *until*, while the market was open."""
    alive = seen.now.alive_at
    if not limits.stale_seconds or seen.phase is not Phase.RUNNING or alive is None or until is None:
        return False
    if (until - alive).total_seconds() <= limits.stale_seconds:
        return False
    calendars = limits.hours.calendars_of(seen.row.project_id, seen.now.security_types)
    seconds = limits.hours.open_seconds(calendars, alive, until)
    return seconds is not None and seconds > limits.stale_seconds


def problems_of_silence(seen: Sighting, limits: Limits) -> list[Problem]:
    """Return that it is stale, once both log and insights were read after the time that is allowed."""
    now = seen.now
    if not (is_silent(seen, limits, now.log_read_at) and is_silent(seen, limits, now.insights_read_at)):
        return []
    since = now.alive_at.isoformat(timespec="seconds") if now.alive_at else ""
    text = f"Runs, but equity, log and insights have not changed since {since}, though the market was open."
    return [_problem(seen, STALE, WARNING, text, alive_at=since)]


def problems_of_log(seen: Sighting) -> list[Problem]:
    """Return that it lost its brokerage, if the newest line about the connection says so."""
    line = _last_about_connection(seen.new_lines or [])
    if seen.phase.over or line is None or not _names(line, DISCONNECTED_TEXTS):
        return []
    text = f"Runs without its brokerage: {line.strip()}"
    return [_problem(seen, DISCONNECTED, CRITICAL, text, line=line.strip())]


def is_gone(event: Event, seen: Sighting | None, newest: Sighting, limits: Limits) -> bool:
    """Whether the problem of an open event is gone. What cannot be shown to be gone stays.

    :param seen: the event's deployment; None if it is over and not the newest of its project.
    :param newest: the newest deployment of the same project.
    """
    if event.kind in (DIED, STOPPED_ELSEWHERE):
        return newest.phase is Phase.RUNNING
    if event.kind not in _WHILE_RUNNING:
        return False
    if seen is None or seen.phase.over:
        return True
    if event.kind == DRAWDOWN:
        return drawdown(seen) < limits.drawdown * _RESOLVED_BELOW
    if event.kind == ZERO_EQUITY:
        return seen.now.equity is not None and seen.now.equity > 0
    if event.kind == STALE:
        return not is_silent(seen, limits, seen.at)
    if event.kind == UNKNOWN_HERE:
        return seen.now.is_known
    line = _last_about_connection(seen.new_lines or [])
    if line is not None:
        return _names(line, CONNECTED_TEXTS)
    return seen.new_lines is not None and seen.at - event.observed_at > FORGOTTEN_AFTER


_WHILE_RUNNING = (STALE, DRAWDOWN, ZERO_EQUITY, UNKNOWN_HERE, DISCONNECTED)


def _end(seen: Sighting) -> list[Problem]:
    if seen.phase is Phase.OVER_BADLY:
        said = " ".join(seen.row.error.split())
        text = f"{seen.row.status}: {said}" if said else f"{seen.row.status}."
        return [_problem(seen, DIED, CRITICAL, text, may_restart=seen.row.status == RESTARTABLE)]
    at = seen.row.stopped_at or seen.at
    if (
        seen.before is None
        or not seen.is_newest
        or any(each.ended(seen.row.deploy_id, at) for each in seen.requests)
    ):
        return []
    text = f"{seen.row.status}, and no run of this Airflow asked for that."
    return [_problem(seen, STOPPED_ELSEWHERE, WARNING, text)]


def _is_old(seen: Sighting) -> bool:
    """Whether it was over for long when the watch first saw it."""
    at = seen.row.stopped_at or seen.row.launched_at
    return seen.before is None and at is not None and seen.at - at > FORGOTTEN_AFTER


def _problem(seen: Sighting, kind: str, severity: str, message: str, **detail: Any) -> Problem:
    row = seen.row
    names = {"project_name": row.project_name, "status": row.status, "brokerage": row.brokerage}
    log = {"log": seen.last_lines} if seen.last_lines else {}
    return Problem(row.project_id, row.deploy_id, kind, severity, message, {**names, **detail, **log})


def _last_about_connection(lines: Sequence[str]) -> str | None:
    every = DISCONNECTED_TEXTS + CONNECTED_TEXTS
    return next((line for line in reversed(lines) if _names(line, every)), None)


def _names(line: str, texts: Sequence[str]) -> bool:
    return any(text in line.lower() for text in texts)
