"""When a stored insight can still change at QuantConnect, and so has to be read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

FLUSH_LAG = timedelta(minutes=20)
"""The longest time until a change at QuantConnect shows in its answers: the engine writes every 10 minutes
and once when it stops, and the API's own snapshot needs some minutes more."""

ENDED_LAG = FLUSH_LAG + timedelta(hours=2)
"""The same after a deployment has ended, by a machine whose clock may be wrong: QuantConnect refuses requests
of one that is off by two hours."""

_NEVER_EXPIRES = datetime(2050, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class ChangeRule:
    """For how long the insights of one deployment can change.

    :param rescore: the time after an insight's close in which its final score is waited for.
    :param ended_at: when the deployment stopped: after that no engine changes anything.
    """

    rescore: timedelta
    ended_at: datetime | None = None

    def settles_at(self, generated_at: datetime | None, closes_at: datetime | None, final: bool) -> datetime:
        """Return the time from which an answer shows an insight in its final state.

        An insight that never expires settles when it is as old as ``rescore``; if it is cancelled after
        that, a full pass finds it.
        """
        if closes_at is None or closes_at >= _NEVER_EXPIRES:
            if generated_at is None or generated_at >= _NEVER_EXPIRES:
                return datetime.min.replace(tzinfo=timezone.utc)
            return generated_at + self.rescore
        if self.ended_at is not None and self.ended_at < closes_at:
            closes_at = self.ended_at
        return closes_at + (FLUSH_LAG if final else max(self.rescore, FLUSH_LAG))
