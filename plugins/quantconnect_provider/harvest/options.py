"""The options of a harvest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from quantconnect_provider.client.errors import InvalidSettingError


@dataclass(frozen=True)
class HarvestOptions:
    """How to harvest; the defaults suit a nightly run.

    :param full: read everything again.
    :param rescore_days: for how long after its close an insight that is not finally scored is read again;
        those that never expire are read again until they are this old.
    :param full_pass_days: read everything again when the last full read is this old; 0 means never.
    :param in_flight: pages that are requested at the same time, at most.
    :param commit_rows: rows in a transaction, about.
    :param progress_seconds: time between two progress lines of a long read.
    :raises InvalidSettingError: if a value cannot be right.
    """

    full: bool = False
    rescore_days: float = 7
    full_pass_days: float = 30
    in_flight: int = 16
    commit_rows: int = 5000
    progress_seconds: float = 10.0

    def __post_init__(self) -> None:
        for name in ("rescore_days", "full_pass_days"):
            if not 0 <= getattr(self, name) <= 36_500:
                raise InvalidSettingError(f"{name} is {getattr(self, name)}; it counts days, 0 or more.")
        for name in ("in_flight", "commit_rows"):
            if getattr(self, name) < 1:
                raise InvalidSettingError(f"{name} is {getattr(self, name)}; at least 1 is needed.")

    @property
    def rescore_period(self) -> timedelta:
        """``rescore_days`` as a time span."""
        return timedelta(days=self.rescore_days)
