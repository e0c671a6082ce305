"""Times as the API writes them, read into aware UTC."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pendulum

_LATEST_UNIX_SECONDS = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second that datetime can hold


def utc_now() -> pendulum.DateTime:
    """Return the current time, aware, in UTC."""
    return pendulum.now("UTC")


def from_unix_seconds(seconds: float) -> datetime:
    """Return the aware UTC time of *seconds* since 1970; beyond the year 9999 it is held there.

    Plain ``datetime``: a harvest makes millions of these, and pendulum's class costs ten times as much.
    """
    if not 0 <= seconds <= _LATEST_UNIX_SECONDS:
        seconds = _LATEST_UNIX_SECONDS if seconds > 0 else 0
    return datetime.fromtimestamp(seconds, timezone.utc)


def read_time(value: Any) -> pendulum.DateTime | None:
    """Read unix seconds (number or text), ``YYYY-MM-DD HH:MM:SS`` (UTC without zone) or ISO 8601.

    :raises ValueError: if *value* is none of these.
    """
    if value in (None, "", 0):
        return None
    if isinstance(value, bool):
        raise ValueError(f"not a time: {value!r}")
    if isinstance(value, (int, float)):
        return pendulum.instance(from_unix_seconds(float(value)))
    text = str(value).strip()
    try:
        return pendulum.instance(from_unix_seconds(float(text)))
    except ValueError:
        pass
    parsed = pendulum.parse(text, tz="UTC")
    if not isinstance(parsed, pendulum.DateTime):
        raise ValueError(f"not a time: {value!r}")
    return parsed.in_timezone("UTC")
