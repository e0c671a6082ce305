"""What the operators that stop and liquidate share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from quantconnect_provider import config
from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.live.waiting import OVER, WaitResult, WaitState
from quantconnect_provider.live.wind_down.holdings import WindDownResult, conclude
from quantconnect_provider.live.wind_down.steps import Action, Step, WindDown
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed
from quantconnect_provider.tasks.inputs import project_id_of, text_or_none
from quantconnect_provider.tasks.live_requests import note_live_request
from quantconnect_provider.tasks.notes import notes_of
from quantconnect_provider.tasks.waiting import WaitingOperator, wait_result_of
from quantconnect_provider.triggers.live import LiveStatusTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import QuantConnectClient

ERROR_KEY = "error"
"""XCom key of project id and error of a task that failed, for the summary of the DAG."""


class WindDownOperator(WaitingOperator):
    """Stops or liquidates one project's deployment, and ends when the API shows that it is over."""

    action: ClassVar[Action]
    template_fields: Sequence[str] = ("project_id", "deploy_id", "quantconnect_conn_id")

    def __init__(
        self, *, project_id: int | str | XComArg, deploy_id: str | XComArg | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.deploy_id = deploy_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the request unless the deployment is over already, and wait here or in the triggerer."""
        with self.reporting(context), self.session() as client:
            deadline = self.deadline(config.load().wind_down_timeout_seconds)
            return self._until_over(context, self.wind_down(client, context), deadline)

    def execute_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Go on after the triggerer: finish, or send again where the first request got no clear answer."""
        with self.reporting(context), self.session() as client:
            wait_result, resume = wait_result_of(event)
            wind_down = self.wind_down(client, context)
            return self._until_over(context, wind_down, float(resume["deadline"]), wait_result)

    def wind_down(self, client: QuantConnectClient, context: Context) -> WindDown:
        """Return the wind-down of this task, with what earlier attempts have noted."""
        project_id = project_id_of(self.project_id)

        def note(deploy_id: str) -> None:
            # Before it is sent: the watch may see the end before the answer is here.
            note_live_request(context, project_id, self.action.value, utc_now(), deploy_id=deploy_id)

        return WindDown(
            client,
            project_id,
            self.action,
            notes_of(context),
            deploy_id=text_or_none(self.deploy_id),
            polling=self.polling(),
            before_send=note,
        )

    def conclude(self, wind_down: WindDown, step: Step) -> dict[str, Any]:
        """Return the result of a deployment that is over."""
        return self.finish(wind_down, step)

    def finish(self, wind_down: WindDown, step: Step) -> dict[str, Any]:
        """Read what is left, note that the task is done, and return the result."""
        result = conclude(wind_down.client, step, self.action, flat_deadline=0.0)
        wind_down.mark_finished()
        self.log.info("%s", result)
        self.check(result)
        return result.to_json()

    def check(self, result: WindDownResult) -> None:
        """Raise if the result is not good enough; a stopped deployment keeps its holdings."""

    def _until_over(
        self, context: Context, wind_down: WindDown, deadline: float, wait_result: WaitResult | None = None
    ) -> dict[str, Any]:
        """Step and wait in turn until the deployment is over.

        :param wait_result: how the wait in the triggerer ended, when the task resumes after one.
        """
        while True:
            if wait_result is None:
                step = wind_down.step()
                if step.over:
                    return self.conclude(wind_down, step)
                wait_result = self.wait_or_defer(
                    wind_down.client, self._trigger(step, deadline), "execute_complete"
                )
            if wait_result.verdict is WaitState.DONE:
                return self.conclude(wind_down, wind_down.ended(wait_result))
            if wait_result.verdict is not WaitState.TIMEOUT or time.time() >= deadline:
                wait_result.raise_unless_done()
            wait_result = None

    def _trigger(self, step: Step, deadline: float) -> LiveStatusTrigger:
        return LiveStatusTrigger(
            quantconnect_conn_id=self.quantconnect_conn_id,
            project_id=step.project_id,
            deploy_id=step.deploy_id,
            target=OVER,
            deadline=step.wait_until(deadline),
            poll_interval_seconds=self.interval(),
            resume={"deadline": deadline},
        )

    @contextmanager
    def reporting(self, context: Context) -> Iterator[None]:
        """Push why the task fails, for the summary."""
        try:
            yield
        except (QuantConnectError, QuantConnectTaskFailed) as failed:
            error = failed.error if isinstance(failed, QuantConnectTaskFailed) else failed
            cause = str(error.args[0]).removeprefix(f"Project {self.project_id}: ")
            value = {"project_id": str(self.project_id), "error": cause}
            context["ti"].xcom_push(key=ERROR_KEY, value=value)
            raise
