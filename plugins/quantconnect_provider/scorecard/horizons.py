"""Names for the periods of insights.

LEAN's periods vary: a prediction for one day that was made on a Friday is open for three days, and a
cancelled one until it was cancelled. So each name stands for a band.
"""

from __future__ import annotations

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

BANDS: tuple[tuple[str, float], ...] = (
    ("1m", 2.5 * MINUTE),
    ("5m", 10 * MINUTE),
    ("15m", 22.5 * MINUTE),
    ("30m", 45 * MINUTE),
    ("1h", 2 * HOUR),
    ("4h", 12 * HOUR),
    ("1d", 1.5 * DAY),
    ("3d", 5 * DAY),
    ("7d", 10 * DAY),
    ("14d", 21 * DAY),
    ("30d", 60 * DAY),
    ("90d", 135 * DAY),
    ("180d", 270 * DAY),
    ("365d", 730 * DAY),
)
"""Each name with the longest period in seconds that it stands for; the shortest is the one before it."""
LONGER = "longer"
"""Periods beyond all bands, as of insights that never expire."""
UNKNOWN = ""
"""The period is missing, not positive, or no possible number of seconds."""

NAMES: tuple[str, ...] = (UNKNOWN, *(name for name, _ in BANDS), LONGER)
"""All names; the number of a band is its index."""
