"""The options of a harvest of trading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from quantconnect_provider.client.errors import InvalidSettingError

_WAITS = 4


@dataclass(frozen=True)
class TradingOptions:
    """How to harvest orders, fills, trades and positions.

    :param full: read everything again.
    :param loading_seconds: how long to wait for orders that QuantConnect is still loading. It shows none
        meanwhile, so this is also the wait for projects that have no orders; all of a batch wait together.
    :param window: orders or trades in one request; *narrow_window* where the API refuses that.
    :raises InvalidSettingError: if a value cannot be right.
    """

    full: bool = False
    loading_seconds: float = 75.0
    window: int = 1000
    narrow_window: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.loading_seconds <= 3600:
            raise InvalidSettingError(
                f"loading_seconds is {self.loading_seconds}; it counts seconds, up to an hour."
            )
        if not 2 <= self.narrow_window <= self.window:
            raise InvalidSettingError(
                f"narrow_window is {self.narrow_window}; it must be between 2 and window ({self.window})."
            )

    def waits(self) -> Iterator[float]:
        """Yield the seconds to wait before each new question, twice as long each time."""
        first = self.loading_seconds / (2**_WAITS - 1)
        if first:
            yield from (first * 2**number for number in range(_WAITS))
