"""Times as the API writes them, read into aware UTC."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pendulum

EARLIEST_UNIX_SECONDS = 31_536_000  # 1971: year 1 and 1970 stand for "no time"
LATEST_UNIX_SECONDS = 7_258_118_400  # 2200: QuantConnect's "no end" is 2050, and 9999 comes from a wrong unit
_UNITS = (1, 1_000, 1_000_000, 1_000_000_000)  # seconds; milli-, micro-, nanoseconds by mistake
_LONGEST_TEXT = 40


def utc_now() -> pendulum.DateTime:
    """Return the current time, aware, in UTC."""
    return pendulum.now("UTC")


def from_unix_time(number: float) -> datetime:
    """Return the aware UTC time of a number since 1970, in seconds or in the smaller unit that fits.

    Plain ``datetime``: a harvest makes millions of these, and pendulum's class costs ten times as much.

    :raises ValueError: if no unit gives a time between 1971 and 2200.
    """
    for unit in _UNITS:
        if EARLIEST_UNIX_SECONDS <= number / unit < LATEST_UNIX_SECONDS:
            return datetime.fromtimestamp(number / unit, timezone.utc)
    raise ValueError("not a time between 1971 and 2200")


def read_time(value: Any) -> pendulum.DateTime | None:
    """Read unix time (number or text), ``YYYY-MM-DD HH:MM:SS`` (UTC without zone) or ISO 8601.

    :raises ValueError: if *value* is none of these, or not between 1971 and 2200.
    """
    if value is None or value == "":
        return None
    if type(value) in (int, float):
        return pendulum.instance(from_unix_time(value)) if value else None
    text = value.strip() if isinstance(value, str) else ""
    if not text[:1].isdigit() or len(text) > _LONGEST_TEXT:
        raise ValueError("not a time")
    try:
        number = float(text)
    except ValueError:
        return _from_iso(text)
    return pendulum.instance(from_unix_time(number)) if number else None


def _from_iso(text: str) -> pendulum.DateTime:
    try:
        parsed = pendulum.parse(text, tz="UTC")
        if not isinstance(parsed, pendulum.DateTime) or "-" not in text[:5]:
            raise ValueError("not a time")
        moment = parsed.in_timezone("UTC")
    except OverflowError:
        raise ValueError("out of range in UTC") from None
    if not EARLIEST_UNIX_SECONDS <= moment.timestamp() < LATEST_UNIX_SECONDS:
        raise ValueError("not a time between 1971 and 2200")
    return moment
