"""The event that a trigger of this package ends with.

It crosses Airflow's database and may meet another version of this package on the other side, so it carries
its own version, and whatever is not understood raises instead of passing for success.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantconnect_provider.live.waiting import WaitResult

VERSION = 1
_SETTLE_SECONDS = 2.0


class UnknownEventError(ValueError):
    """A trigger ended with something that this version of the package does not understand."""


def event_of(wait_result: WaitResult, resume: dict[str, Any]) -> dict[str, Any]:
    """Return the payload for the end of a wait.

    :param resume: what the task wants back when it goes on. It travels with the trigger because
        `dag.test()` forgets the keyword arguments of `defer` once there is an event.
    """
    return {"v": VERSION, **wait_result.to_json(), "resume": resume}


async def settle(started: float, poll_interval_seconds: float) -> None:
    """Hold an event back until the scheduler has noted that its task was deferred.

    Airflow fails a task that comes back from the triggerer before that ("state attribute is queued").

    :param started: when the trigger started, in seconds of `time.monotonic`.
    """
    least = min(_SETTLE_SECONDS, poll_interval_seconds)
    await asyncio.sleep(max(0.0, started + least - time.monotonic()))


def resume_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return what the task gave its trigger to bring back."""
    return dict(event.get("resume") or {})


def read_wait_result(event: Any) -> WaitResult:
    """Return how a wait ended.

    :raises UnknownEventError: when the event is none of this version's.
    """
    from quantconnect_provider.live.waiting import WaitResult, WaitState

    if not isinstance(event, dict) or event.get("v") != VERSION:
        raise UnknownEventError(
            f"The trigger ended with {event!r}, which version {VERSION} of its events does not have. Run the "
            "same version of airflow-provider-quantconnect on workers and triggerers, and clear this task."
        )
    wait_result = WaitResult.from_json(event)
    if wait_result.verdict is WaitState.WAIT:
        raise UnknownEventError(f"The trigger ended with {event!r}, which is not an end.")
    return wait_result
