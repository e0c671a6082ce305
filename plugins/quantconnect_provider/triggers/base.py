"""What all triggers of this package share: their arguments, their event, and when it may be sent."""

from __future__ import annotations

import abc
import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.sdk import conf
from airflow.triggers.base import BaseTrigger, TriggerEvent

from quantconnect_provider.live.waiting import WaitResult
from quantconnect_provider.triggers.events import event_of

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

LAST_POLL_SECONDS = 15.0
"""A trigger that starts after its deadline (the triggerer was down) still gets one poll of this length."""


class QuantConnectTrigger(BaseTrigger):
    """Polls until the wait ends, and sends one event, whatever happens. It only reads.

    Neither killing the task nor moving or stopping the triggerer does anything at QuantConnect.

    :param quantconnect_conn_id: id of the connection; its secrets never go through the database.
    :param project_id: the project.
    :param deadline: unix seconds; absolute, so that it holds in whichever triggerer this runs.
    :param poll_interval_seconds: from one poll to the next.
    :param resume: small JSON values that the event brings back to the task.
    """

    def __init__(
        self,
        *,
        quantconnect_conn_id: str,
        project_id: int,
        deadline: float,
        poll_interval_seconds: float = 10.0,
        resume: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.quantconnect_conn_id = quantconnect_conn_id
        self.project_id = project_id
        self.deadline = deadline
        self.poll_interval_seconds = poll_interval_seconds
        self.resume = resume or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, as they are kept in Airflow's database."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "quantconnect_conn_id": self.quantconnect_conn_id,
                "project_id": self.project_id,
                "deadline": self.deadline,
                "poll_interval_seconds": self.poll_interval_seconds,
                "resume": self.resume,
            },
        )

    @abc.abstractmethod
    def poll(self, client: QuantConnectClient) -> WaitResult:
        """Ask the API once, and return what the answer means for the wait. Blocks; workers call it too.

        :raises QuantConnectError: if the API does not answer.
        """

    @abc.abstractmethod
    async def wait(self) -> WaitResult:
        """Poll off the event loop until the wait ends, and return how."""

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the one event that the wait ends with."""
        started = time.monotonic()
        result = await self.wait()
        if self.task_instance is not None:  # None outside a triggerer: `dag.test()` has no scheduler
            await asyncio.sleep(max(0.0, started + earliest_event_seconds() - time.monotonic()))
        yield TriggerEvent(event_of(result, self.resume))  # type: ignore[no-untyped-call]


def earliest_event_seconds() -> float:
    """Return how long after it started a trigger may send its event.

    When a task defers, its worker process exits and the executor reports that to the scheduler under the
    same key (task instance and try) that the resumed task will have. A scheduler that has queued the
    resumed task by the time it handles this report believes that the resumed run has died, and fails the
    try (``SchedulerJobRunner.process_executor_events`` in Airflow 3.3). The trigger cannot see whether the
    report was handled, but it is handled once in each loop of the scheduler, and a scheduler that takes
    longer for a loop than ``[scheduler] scheduler_health_check_threshold`` is unhealthy by Airflow's own
    rule. So the event waits for that long. Tasks poll in their worker before they defer
    (``tasks.waiting``), so only waits that take longer than that pay for it.
    """
    return conf.getfloat("scheduler", "scheduler_health_check_threshold", fallback=30.0)
