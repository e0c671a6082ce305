"""Resolves the outcome of a request to deploy that got no clear answer."""

from __future__ import annotations

import logging
import socket
from datetime import datetime
from typing import TYPE_CHECKING

from quantconnect_provider.client.errors import (
    CredentialsError,
    InvalidSettingError,
    NotFoundError,
    QuantConnectError,
    RateLimitedError,
    RefusedError,
    UnreachableError,
)
from quantconnect_provider.live.deploy.journal import RECEIPT, VOID, DeployJournal, SendAttempt
from quantconnect_provider.live.deployment_errors import DeploymentUncertainError, NotDeployedError
from quantconnect_provider.live.observation import Observation, ProjectObservation, named, observe_project
from quantconnect_provider.live.polling import FailureBudget, Polling, polls

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_LATE_SECONDS = 3600.0
_POLLS_NEEDED = 2


class OutcomeResolver:
    """Resolves the open send attempts of one task by polling live/list and live/read.

    :param certainty_seconds: how long after it was sent a deployment may still turn up.
    """

    def __init__(
        self,
        client: QuantConnectClient,
        project_id: int,
        journal: DeployJournal,
        certainty_seconds: float,
        polling: Polling,
    ) -> None:
        self._client = client
        self._project_id = project_id
        self._journal = journal
        self._certainty_seconds = certainty_seconds
        self._polling = polling
        self._clock = polling.clock

    def settle(self, attempt: SendAttempt, cause: QuantConnectError | None = None) -> SendAttempt:
        """Poll until the outcome of *attempt* is certain; return it with the deployment that it made.

        :param cause: the unclear answer, when this process sent it; None when an earlier one did.
        :raises NotDeployedError: if no deployment turned up in all the time that it may take.
        :raises DeploymentUncertainError: if several turned up, or the API does not answer the polls.
        """
        if cause is not None:
            attempt.unclear_at = self._clock()
            self._journal.save()
            log.warning("%s Polling for the deployment.", cause.args[0])
        entered = self._clock()
        certain_at = self._counted_from(attempt, entered) + self._certainty_seconds
        give_up_at = max(certain_at, entered) + self._certainty_seconds
        until = give_up_at + _POLLS_NEEDED * self._polling.interval_seconds
        # Time limits this wait, not the number of failures: giving up early leaves a person to find out.
        most = int((until - entered) / max(self._polling.interval_seconds, 0.001)) + _POLLS_NEEDED
        budget = FailureBudget(most)
        good_polls = 0
        for seen in polls(lambda: self._observe(attempt), self._polling, until, budget):
            found = self._the_one(attempt, seen)
            if found is not None:
                return self.receive(attempt, found.deploy_id, "found")
            good_polls += seen.looked_at >= certain_at and _is_complete(attempt, seen)
            if good_polls >= _POLLS_NEEDED:
                raise self._nothing(attempt) from cause
            if not good_polls and seen.looked_at >= give_up_at:
                raise self._uncertain(attempt, "live/list does not show what it showed before")
        error = budget.last_error
        raise self._uncertain(
            attempt, f"the API does not answer ({error.args[0] if error else 'in time'})"
        ) from error

    def _observe(self, attempt: SendAttempt) -> ProjectObservation:
        try:
            return observe_project(self._client, self._project_id, self._clock)
        except QuantConnectError as error:
            if error.retryable:
                raise
            raise self._uncertain(attempt, f"the API does not answer ({error.args[0]})") from error

    def late_arrival(self, seen: ProjectObservation) -> SendAttempt | None:
        """Return the attempt, with its deployment, of a request that seemed to have failed and did not.

        :raises DeploymentUncertainError: if several deployments could be it.
        """
        for attempt in self._journal.void_since_receipt():
            latest = attempt.sent_at + self._certainty_seconds + _LATE_SECONDS
            running = {entry.deploy_id for entry in seen.active}
            came = [
                entry
                for entry in attempt.deployments_since(seen)
                if entry.deploy_id in running
                and (entry.launched_at is None or entry.launched_at.timestamp() <= latest)
            ]
            if len(came) > 1:
                raise self._uncertain(attempt, f"several deployments run since: {named(came)}")
            if came:
                log.warning("%s appeared late; an earlier attempt made it.", came[0].deploy_id)
                self._journal.attempts.remove(attempt)
                self._journal.attempts.append(attempt)
                return self.receive(attempt, came[0].deploy_id, "found")
        return None

    def receive(self, attempt: SendAttempt, deploy_id: str, how: str) -> SendAttempt:
        """Note that *attempt* made *deploy_id*, and return it."""
        attempt.state, attempt.deploy_id, attempt.how = RECEIPT, deploy_id, how
        self._journal.redeploy = None
        self._journal.save()
        log.info("Project %s: deployment %s (%s).", self._project_id, deploy_id, how)
        return attempt

    def _counted_from(self, attempt: SendAttempt, now: float) -> float:
        """Return when the time began in which a deployment may appear; only this host's clock measures it."""
        if attempt.host != socket.gethostname():
            return now
        return min(attempt.unclear_at or attempt.sent_at, now)

    def _the_one(self, attempt: SendAttempt, seen: ProjectObservation) -> Observation | None:
        found = attempt.deployments_since(seen)
        if len(found) > 1:
            raise self._uncertain(attempt, f"several deployments appeared since: {named(found)}")
        return found[0] if found else None

    def _nothing(self, attempt: SendAttempt) -> NotDeployedError:
        attempt.state = VOID
        self._journal.save()
        return NotDeployedError(
            f"live/create for project {self._project_id} was sent at {_at(attempt.sent_at)} without a clear "
            f"answer, and no deployment appeared within {self._certainty_seconds:.0f} s.",
            endpoint="live/create",
        )

    def _uncertain(self, attempt: SendAttempt, why: str) -> DeploymentUncertainError:
        return DeploymentUncertainError(
            f"live/create for project {self._project_id} was sent at {_at(attempt.sent_at)} without a clear "
            f"answer, and {why}.",
            endpoint="live/create",
        )


def proves_nothing_started(error: QuantConnectError) -> bool:
    """Whether *error*, from live/create, proves that it did not start anything."""
    if error.maybe_applied or (error.http_status or 0) >= 500:
        return False
    refusals = (InvalidSettingError, CredentialsError, NotFoundError, RefusedError, RateLimitedError)
    return isinstance(error, (*refusals, UnreachableError))


def _is_complete(attempt: SendAttempt, seen: ProjectObservation) -> bool:
    """Whether *seen* would show the deployment: it has what was there before, and no row is unreadable."""
    if seen.unreadable:
        return False
    return not attempt.known or any(deploy_id in seen.seen for deploy_id in attempt.known)


def _at(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds).astimezone().isoformat(timespec="seconds")
