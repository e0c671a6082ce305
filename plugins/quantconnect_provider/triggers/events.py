"""The event that a trigger of this package ends with.

It crosses Airflow's database and may be read by another version of this package, so it carries its own
version, and an unknown event raises instead of passing for success.
"""

from __future__ import annotations

from typing import Any

from quantconnect_provider.live.waiting import WaitResult, WaitState

VERSION = 1


class UnknownEventError(ValueError):
    """A trigger ended with an event that this version of the package does not know."""


def event_of(wait_result: WaitResult, resume: dict[str, Any]) -> dict[str, Any]:
    """Return the payload for the end of a wait.

    :param resume: what the task wants back when it resumes. It travels with the trigger because
        `dag.test()` forgets the keyword arguments of `defer` once there is an event.
    """
    return {"v": VERSION, **wait_result.to_json(), "resume": resume}


def resume_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return what the task gave its trigger to bring back."""
    return dict(event.get("resume") or {})


def read_wait_result(event: Any) -> WaitResult:
    """Return how a wait ended.

    :raises UnknownEventError: when the event is none of this version's.
    """
    if not isinstance(event, dict) or event.get("v") != VERSION:
        raise UnknownEventError(
            f"The trigger ended with {event!r}, which version {VERSION} of its events does not have. Run the "
            "same version of airflow-provider-quantconnect on workers and triggerers, and clear this task."
        )
    wait_result = WaitResult.from_json(event)
    if wait_result.verdict is WaitState.WAIT:
        raise UnknownEventError(f"The trigger ended with {event!r}, which is not an end.")
    return wait_result
