"""What each status of a live deployment means: the only place that knows.

The statuses are those of the OpenAPI specification, and two more (``PendingInput``, ``Undefined``) that the
engine and QuantConnect's own command line know. The list is not closed: what is not in the table is
``Phase.UNKNOWN``, which is reported and waited through, never crashed on and never taken for an end.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum


class Phase(str, Enum):
    """Where a deployment is on its way."""

    STARTING = "starting"
    RUNNING = "running"
    OVER_WELL = "over_well"
    OVER_BADLY = "over_badly"
    UNKNOWN = "unknown"

    @property
    def over(self) -> bool:
        """Whether the deployment does not trade any more."""
        return self in (Phase.OVER_WELL, Phase.OVER_BADLY)

    @property
    def may_trade(self) -> bool:
        """Whether the deployment trades, will trade, or cannot be shown not to."""
        return not self.over


PHASES: dict[str, Phase] = {
    "InQueue": Phase.STARTING,
    "LoggingIn": Phase.STARTING,
    "PendingInput": Phase.STARTING,  # a login waits for a person, e.g. for a confirmation on a phone
    "Initializing": Phase.STARTING,
    "History": Phase.STARTING,
    "Running": Phase.RUNNING,
    "Stopped": Phase.OVER_WELL,
    "Liquidated": Phase.OVER_WELL,
    "Completed": Phase.OVER_WELL,
    "Deleted": Phase.OVER_WELL,
    "DeployError": Phase.OVER_BADLY,
    "RuntimeError": Phase.OVER_BADLY,
    "Invalid": Phase.OVER_BADLY,
}

RESTARTABLE = "RuntimeError"
"""The status that an automatic restart can follow (up to 5 times, after at least 5 minutes of running)."""

RESTART_GRACE_SECONDS = 600.0
"""How long a deployment with automatic redeploy may show ``RESTARTABLE`` before it counts as over."""


_FIRST_YEAR = 1971
_END_OF_TIME_YEAR = 2050


def phase_of(status: str, stopped_at: datetime | None = None, launched_at: datetime | None = None) -> Phase:
    """Return what *status* means.

    :param stopped_at: the deployment's stop time: when it is set, the deployment is over whatever its
        status still says (the two are not updated at the same moment).
    :param launched_at: its launch time; a stop time before it belongs to an earlier run.
    """
    phase = PHASES.get(status, Phase.UNKNOWN)
    if phase.over or stopped_at is None or not _is_stop_time(stopped_at, launched_at):
        return phase
    return Phase.OVER_WELL if phase is Phase.RUNNING else Phase.OVER_BADLY


def _is_stop_time(stopped_at: datetime, launched_at: datetime | None) -> bool:
    """Whether it is the time of a stop, and no placeholder such as year 1, 1970 or the engine's 2050."""
    if not _FIRST_YEAR <= stopped_at.year < _END_OF_TIME_YEAR:
        return False
    return launched_at is None or launched_at.year >= _END_OF_TIME_YEAR or not stopped_at < launched_at


def is_known(status: str) -> bool:
    """Whether *status* is in the table."""
    return status in PHASES
