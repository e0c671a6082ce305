"""Waiting for a deployment: one judgement, shared by the loop in a worker and by triggers.

A wait has a target, an absolute deadline, and patience with looks that fail. It only ever looks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
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
from quantconnect_provider.live.polling import Polling

log = logging.getLogger(__name__)

_POLLING = Polling()

WaitTarget = tuple[str, ...]
"""What is waited for: statuses (``Running``) and phases (``running``), any of them."""

RUNNING: WaitTarget = (Phase.RUNNING.value,)
OVER: WaitTarget = (Phase.OVER_WELL.value, Phase.OVER_BADLY.value)


class WaitState(str, Enum):
    """What a look means for a wait."""

    WAIT = "wait"
    DONE = "done"
    ENDED = "ended"  # the deployment is over, and that is not what was waited for
    TIMEOUT = "timeout"
    BLIND = "blind"  # the looks themselves fail


@dataclass(frozen=True)
class WaitResult:
    """A verdict and what it rests on; goes through a trigger event as JSON.

    :param retryable: for ``BLIND``: whether the looks failed for a reason that may pass.
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

        :raises ValueError: if it is not one: an event that is not understood must never pass for success.
        """
        try:
            known = {key: payload[key] for key in ("deploy_id", "status", "message", "retryable")}
            return cls(verdict=WaitState(payload["verdict"]), **known)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not the event of a wait: {payload!r}") from error

    def raise_unless_done(self) -> None:
        """Raise what the verdict means; ``WAIT`` and ``DONE`` raise nothing.

        :raises DeploymentFailedError: for ``ENDED``. ``failures.deployment_failed`` tells more.
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
    """Judge one look: a pure function, so that every wait ends alike.

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
        text = f"{deploy_id} is still {status}; the wait for it to be {' or '.join(target)} is over."
        return WaitResult(WaitState.TIMEOUT, deploy_id, status, text)
    return WaitResult(WaitState.WAIT, deploy_id, status, f"{deploy_id} is {status}.")


class Wait:
    """One wait and what it must remember from look to look.

    :param deadline: unix seconds; absolute, so that it survives a move to another process.
    :param restart_grace_seconds: how long a runtime error may last before it counts as the end; 0 without
        automatic redeploy.
    :param failed_looks: how many looks in a row may fail for a passing reason.
    """

    def __init__(
        self,
        target: WaitTarget,
        deadline: float,
        *,
        restart_grace_seconds: float = 0.0,
        failed_looks: int = 20,
    ) -> None:
        self.target = target
        self.deadline = deadline
        self.restart_grace_seconds = restart_grace_seconds
        self.failed_looks = failed_looks
        self._failed = 0
        self._status: str | None = None
        self._error_since: float | None = None

    def saw(self, observation: Observation | None, now: float) -> WaitResult:
        """Judge a look that was answered."""
        self._failed = 0
        self._tell(observation)
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
        """Judge a look that failed: a reason that cannot pass ends the wait at once."""
        self._failed += 1
        if not error.retryable:
            return WaitResult(WaitState.BLIND, message=str(error))
        if self._failed > self.failed_looks:
            text = f"{self._failed} looks in a row failed, the last one because: {error}"
            return WaitResult(WaitState.BLIND, message=text, retryable=True)
        log.warning("Look %d of %d failed: %s", self._failed, self.failed_looks, error)
        if now >= self.deadline:
            return WaitResult(
                WaitState.TIMEOUT, message=f"The wait is over, and the last look failed: {error}"
            )
        return WaitResult(WaitState.WAIT, message=str(error))

    def _tell(self, observation: Observation | None) -> None:
        status = observation.status if observation else None
        if status == self._status or observation is None:
            return
        if not is_known(observation.status):
            log.warning("%s has the unknown status %r.", observation.deploy_id, status)
        else:
            log.info("%s: %s", observation.deploy_id, " -> ".join(filter(None, [self._status, status])))
        self._status = status


def poll_until(look: Callable[[], Observation | None], wait: Wait, polling: Polling = _POLLING) -> WaitResult:
    """Look until *wait* ends, and return how; the loop of a task that waits in its worker."""
    while True:
        try:
            wait_result = wait.saw(look(), polling.clock())
        except QuantConnectError as error:
            wait_result = wait.failed(error, polling.clock())
        if wait_result.verdict is not WaitState.WAIT:
            return wait_result
        polling.pause(wait.deadline)
