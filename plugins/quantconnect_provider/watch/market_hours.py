"""When markets are open, from the calendars of `exchange_calendars`."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from quantconnect_provider.client.errors import InvalidSettingError

log = logging.getLogger(__name__)

ALWAYS, WEEKDAYS, US_STOCKS, FUTURES = "24/7", "24/5", "XNYS", "CMES"
_CALENDARS = {
    "crypto": ALWAYS,
    "cryptofuture": ALWAYS,
    "forex": WEEKDAYS,
    "cfd": WEEKDAYS,
    "future": FUTURES,
    "futureoption": FUTURES,
}
_BACK = timedelta(days=30)


@dataclass
class MarketHours:
    """Calendars of the deployments' markets.

    :param default: a calendar of `exchange_calendars`, for whatever the API does not say to be crypto, forex
        or futures.
    :param by_project: calendars of certain projects, whatever they trade.
    """

    default: str = US_STOCKS
    by_project: Mapping[int, str] = field(default_factory=dict)
    _sessions: dict[tuple[str, date], list[tuple[datetime, datetime]] | None] = field(
        default_factory=dict, init=False
    )

    def calendars_of(self, project_id: int, security_types: str | None) -> set[str]:
        """Return the calendars of what the project trades.

        :param security_types: as live/read has them, e.g. ``Equity, Crypto``.
        """
        if project_id in self.by_project:
            return {self.by_project[project_id]}
        kinds = [kind.strip().lower() for kind in (security_types or "").split(",") if kind.strip()]
        return {_CALENDARS.get(kind, self.default) for kind in kinds} or {self.default}

    def open_seconds(self, calendars: set[str], start: datetime, end: datetime) -> float | None:
        """Return for how many seconds between *start* and *end* the market was open; of several, the longest.

        Time longer than 30 days ago does not count. Returns None if the calendars cannot be read.

        :raises InvalidSettingError: naming a calendar that does not exist.
        """
        found = [self._open(calendar, max(start, end - _BACK), end) for calendar in sorted(calendars)]
        known = [seconds for seconds in found if seconds is not None]
        return max(known) if known else None

    def _open(self, calendar: str, start: datetime, end: datetime) -> float | None:
        if calendar == ALWAYS:
            return max(0.0, (end - start).total_seconds())
        key = (calendar, end.date())
        if key not in self._sessions:
            self._sessions[key] = _sessions(calendar, end)
        sessions = self._sessions[key]
        if sessions is None:
            return None
        total = 0.0
        first = max(0, bisect_left(sessions, (start, start)) - 1)
        for opened, closed in sessions[first:]:
            if opened >= end:
                break
            total += max(0.0, (min(closed, end) - max(opened, start)).total_seconds())
        return total


def _sessions(calendar: str, end: datetime) -> list[tuple[datetime, datetime]] | None:
    """Return opening and closing times of the sessions around the last 30 days; None without the library."""
    try:
        # Half a second and pandas: only where there is something to watch.
        from exchange_calendars import get_calendar  # noqa: PLC0415
        from exchange_calendars.errors import InvalidCalendarName  # noqa: PLC0415
    except ModuleNotFoundError:
        log.warning(
            "exchange_calendars is not installed, so that only deployments of markets that never close are "
            "checked for being stale: pip install 'airflow-provider-quantconnect[watch]'"
        )
        return None
    first, last = (end - _BACK - timedelta(days=3)).date(), (end + timedelta(days=7)).date()
    try:
        schedule = get_calendar(calendar, start=str(first), end=str(last)).schedule
    except InvalidCalendarName:
        raise InvalidSettingError(
            f"[quantconnect] market_calendar: there is no calendar {calendar!r}.",
            advice="Use a name that exchange_calendars knows, like XNYS, CMES, 24/5 or 24/7.",
        ) from None
    times = zip(schedule["open"].array, schedule["close"].array, strict=True)
    return [(_utc(opened), _utc(closed)) for opened, closed in times]


def _utc(moment: datetime) -> datetime:
    return datetime.fromtimestamp(moment.timestamp(), timezone.utc)
