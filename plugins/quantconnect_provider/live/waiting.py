"""Waiting for a deployment: what each poll means, the same in a worker and in a trigger.

A wait has a target, an absolute deadline, and a budget of failed polls. It only reads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.client.status import RESTARTABLE, Phase, is_known
from quantconnect_provider.live.deployment_errors import (
    DeploymentFailedError,
    WaitTimeoutError,
    WatchFailedError,
)
from quantconnect_provider.live.observation import Observation
from quantconnect_provider.live.polling import FAILURES_IN_A_ROW, FailureBudget, Polling, polls

log = logging.getLogger(__name__)

_POLLING = Polling()

WaitTarget = tuple[str, ...]
"""Statuses (``Running``) and phases (``running``), any of which ends a wait well."""

RUNNING: WaitTarget = (Phase.RUNNING.value,)
OVER: WaitTarget = (Phase.OVER_WELL.value, Phase.OVER_BADLY.value)


class WaitState(str, Enum):
    """What a poll means for a wait. The values are in trigger events: do not change them."""

    WAIT = "wait"
    DONE = "done"
    ENDED = "ended"  # the deployment is over without reaching the target
    TIMEOUT = "timeout"
    BLIND = "blind"  # the polls themselves fail


@dataclass(frozen=True)
class WaitResult:
    """What the last poll means and what it saw; goes through a trigger event as JSON.

    :param retryable: for ``BLIND``: whether the polls failed for a reason that may pass.
    """

    verdict: WaitState
    deploy_id: str = ""
    status: str = ""
    message: str = ""
    retryable: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the payload for a trigger event."""
        return {**asdict(self), "verdict": self.verdict.value}

    @classmethod
    def from_json(cls, payload: dict[str, Any]) -> WaitResult:
        """Read the payload of a trigger event.

        :raises ValueError: if it is not one: an unknown event must never pass for success.
        """
        try:
            known = {key: payload[key] for key in ("deploy_id", "status", "message", "retryable")}
            return cls(verdict=WaitState(payload["verdict"]), **known)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not the event of a wait: {payload!r}") from error

    @classmethod
    def of_error(cls, error: QuantConnectError) -> WaitResult:
        """Return the end of a wait whose polls failed for good."""
        gave_up = isinstance(error, WatchFailedError)
        message = str(error.args[0]) if gave_up else str(error)
        return cls(WaitState.BLIND, message=message, retryable=error.retryable)

    def at_deadline(self) -> WaitResult:
        """Return this result for a wait whose time is up: ``WAIT`` becomes ``TIMEOUT``."""
        return replace(self, verdict=WaitState.TIMEOUT) if self.verdict is WaitState.WAIT else self

    def raise_unless_done(self) -> None:
        """Raise the error for a bad end; ``WAIT`` and ``DONE`` raise nothing.

        :raises DeploymentFailedError: for ``ENDED``. ``post_mortem.deployment_failed`` says more.
        :raises WaitTimeoutError: for ``TIMEOUT``.
        :raises WatchFailedError: for ``BLIND``.
        """
        if self.verdict is WaitState.ENDED:
            raise DeploymentFailedError(self.message)
        if self.verdict is WaitState.TIMEOUT:
            raise WaitTimeoutError(self.message)
        if self.verdict is WaitState.BLIND:
            failed = WatchFailedError(self.message, advice=None if self.retryable else "")
            failed.retryable = self.retryable
            raise failed


def evaluate(
    target: WaitTarget,
    observation: Observation | None,
    *,
    now: float,
    deadline: float,
    restart_until: float | None = None,
) -> WaitResult:
    """Say what one poll means: a pure function, so that every wait ends alike.

    :param observation: the deployment; None if it is not listed.
    :param now: unix seconds; ``deadline`` likewise.
    :param restart_until: until when an automatic restart may still follow a runtime error.
    """
    if observation is None:
        text = "The deployment is not listed."
        return WaitResult(WaitState.TIMEOUT if now >= deadline else WaitState.WAIT, message=text)
    deploy_id, status = observation.deploy_id, observation.status
    said = f": {observation.message.strip()}" if observation.message.strip() else ""
    if restart_until is not None and now < restart_until:
        text = f"{deploy_id} is {status}{said}, and may be restarted automatically."
        return WaitResult(WaitState.TIMEOUT if now >= deadline else WaitState.WAIT, deploy_id, status, text)
    if observation.phase.value in target or status in target:
        return WaitResult(WaitState.DONE, deploy_id, status, f"{deploy_id} is {status}.")
    if observation.phase.over:
        text = f"{deploy_id} ended as {status} instead of being {' or '.join(target)}{said}."
        return WaitResult(WaitState.ENDED, deploy_id, status, text)
    if now >= deadline:
        text = f"{deploy_id} is still {status} at the time limit, and not {' or '.join(target)}."
        return WaitResult(WaitState.TIMEOUT, deploy_id, status, text)
    return WaitResult(WaitState.WAIT, deploy_id, status, f"{deploy_id} is {status}.")


class Wait:
    """One wait and what it must remember from poll to poll.

    :param deadline: unix seconds; absolute, so that it survives a move to another process.
    :param restart_grace_seconds: how long a runtime error may last before it counts as the end; 0 without
        automatic redeploy.
    :param failed_polls: how many polls in a row may fail for a passing reason.
    """

    def __init__(
        self,
        target: WaitTarget,
        deadline: float,
        *,
        restart_grace_seconds: float = 0.0,
        failed_polls: int = FAILURES_IN_A_ROW,
    ) -> None:
        self.target = target
        self.deadline = deadline
        self.restart_grace_seconds = restart_grace_seconds
        self.budget = FailureBudget(failed_polls)
        self._status: str | None = None
        self._error_since: float | None = None

    def saw(self, observation: Observation | None, now: float) -> WaitResult:
        """Say what a poll that was answered means."""
        self.budget.restore()
        self._log_change(observation)
        restart_until = None
        if observation is not None and observation.status == RESTARTABLE and self.restart_grace_seconds:
            self._error_since = now if self._error_since is None else self._error_since
            restart_until = self._error_since + self.restart_grace_seconds
        else:
            self._error_since = None
        return evaluate(
            self.target, observation, now=now, deadline=self.deadline, restart_until=restart_until
        )

    def failed(self, error: QuantConnectError, now: float) -> WaitResult:
        """Say what a failed poll means: an error that waiting cannot cure ends the wait at once."""
        return after_failure(self.budget, error, now=now, deadline=self.deadline)

    def _log_change(self, observation: Observation | None) -> None:
        status = observation.status if observation else None
        if status == self._status or observation is None:
            return
        if not is_known(observation.status):
            log.warning("%s has the unknown status %r.", observation.deploy_id, status)
        else:
            log.info("%s: %s", observation.deploy_id, " -> ".join(filter(None, [self._status, status])))
        self._status = status


def after_failure(
    budget: FailureBudget, error: QuantConnectError, *, now: float, deadline: float
) -> WaitResult:
    """Say what a failed poll means for a wait with this budget and deadline (unix seconds)."""
    try:
        budget.spend(error)
    except QuantConnectError as end:
        return WaitResult.of_error(end)
    state = WaitState.TIMEOUT if now >= deadline else WaitState.WAIT
    return WaitResult(state, message=f"The last poll failed: {error}")


def poll_until(ask: Callable[[], Observation | None], wait: Wait, polling: Polling = _POLLING) -> WaitResult:
    """Poll with *ask* until *wait* ends, and return how; for a task that waits in its worker."""
    return result_by(
        lambda: wait.saw(ask(), polling.clock()), polling, wait.deadline, budget=wait.budget
    ).at_deadline()


def result_by(
    ask: Callable[[], WaitResult], polling: Polling, until: float, *, budget: FailureBudget | None = None
) -> WaitResult:
    """Poll until the result is not ``WAIT`` or the limit is reached, and return the last result.

    :param ask: polls once and says what the answer means.
    :param until: the limit in unix seconds; it may be earlier than the deadline of the wait.
    """
    budget = budget or FailureBudget()
    result = WaitResult(WaitState.WAIT)
    try:
        for result in polls(ask, polling, until, budget):
            if result.verdict is not WaitState.WAIT:
                return result
    except QuantConnectError as error:
        return WaitResult.of_error(error)
    if budget.last_error is not None:
        return replace(result, message=f"The last poll failed: {budget.last_error}")
    return result
