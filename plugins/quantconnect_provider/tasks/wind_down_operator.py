"""Stopping and liquidating live deployments; offered by `quantconnect_provider.operators.live`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from quantconnect_provider import config
from quantconnect_provider.tasks.failures import plain_errors
from quantconnect_provider.tasks.inputs import project_id_of, text_or_none
from quantconnect_provider.tasks.notes import notes_of
from quantconnect_provider.tasks.operator import WaitingOperator, wait_result_of

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client import QuantConnectClient
    from quantconnect_provider.live.wind_down.steps import Step, WindDown


class _WindDownOperator(WaitingOperator):
    """Winds one project's deployment down, and believes it when it is seen to be over."""

    action: ClassVar[str]
    template_fields: Sequence[str] = ("project_id", "deploy_id", "quantconnect_conn_id")

    def __init__(
        self, *, project_id: int | str | XComArg, deploy_id: str | XComArg | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.deploy_id = deploy_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask for it unless it is over already, and wait here or in the triggerer."""
        with plain_errors(), self.client() as client:
            deadline = self.deadline(config.load().wind_down_timeout_seconds)
            wind_down = self._wind_down(client, context)
            if not self.deferrable:
                return self._conclude(wind_down, wind_down.run(deadline))
            return self._conclude(wind_down, self._step_or_defer(wind_down, deadline))

    def execute_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Go on after the triggerer has watched: finish, or ask again where the first request was unclear."""
        from quantconnect_provider.live.waiting import WaitState

        with plain_errors(), self.client() as client:
            wait_result, resume = wait_result_of(event)
            deadline = float(resume["deadline"])
            wind_down = self._wind_down(client, context)
            if wait_result.verdict is WaitState.DONE:
                return self._conclude(wind_down, wind_down.ended(wait_result))
            if wait_result.verdict is not WaitState.TIMEOUT or time.time() >= deadline:
                wait_result.raise_unless_done()
            return self._conclude(wind_down, self._step_or_defer(wind_down, deadline))

    def _wind_down(self, client: QuantConnectClient, context: Context) -> WindDown:
        from quantconnect_provider.live.wind_down.steps import WindDown

        return WindDown(
            client,
            project_id_of(self.project_id),
            self.action,
            notes_of(context),
            deploy_id=text_or_none(self.deploy_id),
            polling=self.polling(),
        )

    def _step_or_defer(self, wind_down: WindDown, deadline: float) -> Step:
        from quantconnect_provider.live.waiting import OVER, Wait

        step = wind_down.step()
        if not step.over:
            self.defer_until(
                Wait(OVER, step.wait_until(deadline)),
                project_id=step.project_id,
                deploy_id=step.deploy_id,
                resume={"deadline": deadline},
            )
        return step

    def _conclude(self, wind_down: WindDown, step: Step) -> dict[str, Any]:
        return self._finish(wind_down, step, flat_deadline=0.0)

    def _finish(self, wind_down: WindDown, step: Step, flat_deadline: float) -> dict[str, Any]:
        from quantconnect_provider.live.wind_down.holdings import conclude

        result = conclude(
            wind_down.client, step, self.action, flat_deadline=flat_deadline, polling=self.polling()
        )
        wind_down.mark_finished()
        self.log.info("%s", result)
        self._check(result)
        return result.to_json()

    def _check(self, result: Any) -> None:
        """Nothing to check: a stopped deployment keeps its holdings."""


class QuantConnectStopLiveOperator(_WindDownOperator):
    """Stops a project's live deployment, keeps its holdings, and waits until it is seen to be over.

    A deployment that is over already counts as done. Returns project id, deployment id, final status and
    whether it was over before.

    :param project_id: the project.
    :param deploy_id: the only deployment to stop; by default the project's current one.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer and free the worker.
    :param timeout_seconds: until when it must be over; default ``[quantconnect] wind_down_timeout_seconds``.
    :param poll_interval_seconds: between two looks.
    """

    action = "stop"


class QuantConnectLiquidateLiveOperator(_WindDownOperator):
    """Sells all holdings of a project's live deployment, which then stops, and waits until it is over.

    Then it reads the portfolio until nothing is held or ``flat_timeout_seconds`` are over, and reports what
    is left. **This trades real money where the deployment does.** Returns what
    `QuantConnectStopLiveOperator` does, and the symbols and quantities that are left.

    :param project_id: the project.
    :param deploy_id: the only deployment to liquidate; by default the project's current one.
    :param require_flat: fail when holdings are left or cannot be read.
    :param flat_timeout_seconds: how long holdings may stay; default ``[quantconnect] flat_timeout_seconds``.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer and free the worker.
    :param timeout_seconds: until when it must be over; default ``[quantconnect] wind_down_timeout_seconds``.
    :param poll_interval_seconds: between two looks.
    """

    action = "liquidate"

    def __init__(
        self, *, require_flat: bool = False, flat_timeout_seconds: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.require_flat = require_flat
        self.flat_timeout_seconds = flat_timeout_seconds

    def flat_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Go on after the triggerer has watched the holdings: report what is left."""
        from quantconnect_provider.live.wind_down.steps import Step

        with plain_errors(), self.client() as client:
            _, resume = wait_result_of(event)
            wind_down = self._wind_down(client, context)
            return self._finish(wind_down, Step(**resume), flat_deadline=0.0)

    def _conclude(self, wind_down: WindDown, step: Step) -> dict[str, Any]:
        from quantconnect_provider.live.wind_down.holdings import must_be_awaited
        from quantconnect_provider.triggers.flat import FlatTrigger

        flat_deadline = time.time() + (self.flat_timeout_seconds or config.load().flat_timeout_seconds)
        if self.deferrable and must_be_awaited(self.action, step) and self._still_holds(wind_down):
            self.log.info("%s is %s. Waiting for its holdings to be gone.", step.deploy_id, step.status)
            self.defer(
                trigger=FlatTrigger(
                    quantconnect_conn_id=self.quantconnect_conn_id,
                    project_id=step.project_id,
                    deadline=flat_deadline,
                    poll_interval_seconds=self.interval(),
                    resume=asdict(step),
                ),
                method_name="flat_complete",
            )
        return self._finish(wind_down, step, flat_deadline)

    def _still_holds(self, wind_down: WindDown) -> bool:
        """Look once before deferring: a trigger that fires at once can make Airflow fail the task."""
        from quantconnect_provider.client.errors import QuantConnectError
        from quantconnect_provider.live.wind_down.holdings import holdings_left

        try:
            return bool(holdings_left(wind_down.client, wind_down.project_id))
        except QuantConnectError as error:
            self.log.warning("The first look failed, the next one is the triggerer's: %s", error)
            return True

    def _check(self, result: Any) -> None:
        from quantconnect_provider.live.wind_down.holdings import check_flat

        if self.require_flat:
            check_flat(result)
