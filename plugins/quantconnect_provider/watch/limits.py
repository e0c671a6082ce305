"""What the watch is allowed to tolerate, and how often it looks at what."""

from __future__ import annotations

from dataclasses import dataclass, field

from quantconnect_provider.watch.market_hours import MarketHours


@dataclass(frozen=True)
class Limits:
    """When something is wrong.

    :param stale_seconds: longest time of an open market without a change of equity, log and insights; 0: any.
    :param drawdown: largest loss from the highest equity seen, as a fraction; 0: any.
    :param log_seconds: from one read of a deployment's log to the next.
    :param statistics_seconds: from one read of its statistics to the next.
    """

    stale_seconds: float = 7200.0
    drawdown: float = 0.2
    log_seconds: float = 1800.0
    statistics_seconds: float = 3600.0
    hours: MarketHours = field(default_factory=MarketHours)
