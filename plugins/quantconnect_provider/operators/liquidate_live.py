"""Liquidating a live deployment."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from quantconnect_provider import config
from quantconnect_provider.live.wind_down.holdings import (
    WindDownResult,
    check_flat,
    must_be_awaited,
)
from quantconnect_provider.live.wind_down.steps import Action, Step, WindDown
from quantconnect_provider.tasks.waiting import wait_result_of
from quantconnect_provider.tasks.wind_down_operator import WindDownOperator
from quantconnect_provider.triggers.flat import FlatTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class QuantConnectLiquidateLiveOperator(WindDownOperator):
    """Sells all holdings of a project's live deployment, which then stops, and waits until it is over.

    Then it reads the portfolio until no holdings are left or ``flat_timeout_seconds`` have passed, and
    reports what is left. **This trades real money where the deployment does.** Asks live/list, live/read and
    live/portfolio/read, and sends live/update/liquidate. Returns what `QuantConnectStopLiveOperator` does,
    and the symbols and quantities that are left: null where the portfolio could not be read.

    :param project_id: the project.
    :param deploy_id: the only deployment to liquidate; by default the project's current one.
    :param require_flat: fail when holdings are left or could not be read.
    :param flat_timeout_seconds: how long to wait for holdings to be sold; default ``[quantconnect]
        flat_timeout_seconds``.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    :param deferrable: wait in the triggerer and free the worker.
    :param timeout_seconds: how long to wait for the end; default ``[quantconnect]
        wind_down_timeout_seconds``.
    :param poll_interval_seconds: from one poll to the next.
    """

    action = Action.LIQUIDATE

    def __init__(
        self, *, require_flat: bool = False, flat_timeout_seconds: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.require_flat = require_flat
        self.flat_timeout_seconds = flat_timeout_seconds

    def conclude(self, wind_down: WindDown, step: Step) -> dict[str, Any]:
        """Wait until no holdings are left, here or in the triggerer, and return the result."""
        if must_be_awaited(self.action, step):
            trigger = FlatTrigger(
                quantconnect_conn_id=self.quantconnect_conn_id,
                project_id=step.project_id,
                deadline=time.time() + (self.flat_timeout_seconds or config.load().flat_timeout_seconds),
                poll_interval_seconds=self.interval(),
                resume=asdict(step),
            )
            self.log.info("%s is %s. Waiting until no holdings are left.", step.deploy_id, step.status)
            self.wait_or_defer(wind_down.client, trigger, "flat_complete")
        return self.finish(wind_down, step)

    def flat_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Go on after the triggerer has polled the portfolio: report what is left."""
        with self.reporting(context), self.session() as client:
            _, resume = wait_result_of(event)
            return self.finish(self.wind_down(client, context), Step(**resume))

    def check(self, result: WindDownResult) -> None:
        """Raise if ``require_flat`` is set and holdings are left or could not be read."""
        if self.require_flat:
            check_flat(result)
