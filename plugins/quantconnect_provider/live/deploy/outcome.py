"""Finds out what became of a request to deploy that got no clear answer."""

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
from quantconnect_provider.live.polling import Polling

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_LATE_SECONDS = 3600.0
_LOOKS_NEEDED = 2


class OutcomeResolver:
    """Settles open intents of one task by looking at live/list and live/read.

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
        """Look until it is certain what became of *intent*; return it with its receipt.

        :param cause: the unclear answer, when this attempt sent it; None when an earlier attempt did.
        :raises NotDeployedError: if no deployment turned up in all the time that it may take.
        :raises DeploymentUncertainError: if several turned up, or the API does not answer the looks.
        """
        if cause is not None:
            attempt.unclear_at = self._clock()
            self._journal.save()
            log.warning("%s Looking for the deployment.", cause.args[0])
        entered = self._clock()
        certain_at = self._counted_from(attempt, entered) + self._certainty_seconds
        give_up_at = max(certain_at, entered) + self._certainty_seconds
        good_looks = 0
        while True:
            try:
                look = observe_project(self._client, self._project_id, self._clock)
            except QuantConnectError as error:
                log.warning("The look failed: %s", error)
                if not error.retryable or self._clock() >= give_up_at:
                    raise self._uncertain(attempt, f"the API does not tell ({error.args[0]})") from error
            else:
                found = self._the_one(attempt, look)
                if found is not None:
                    return self.receive(attempt, found.deploy_id, "found")
                good_looks += look.looked_at >= certain_at and _is_complete(attempt, look)
                if good_looks >= _LOOKS_NEEDED:
                    raise self._nothing(attempt) from cause
                if not good_looks and look.looked_at >= give_up_at:
                    raise self._uncertain(attempt, "live/list does not show what it showed before")
            self._polling.pause()

    def late_arrival(self, look: ProjectObservation) -> SendAttempt | None:
        """Return the intent, with receipt, of a request held to have failed whose deployment runs after all.

        :raises DeploymentUncertainError: if several could be it.
        """
        for attempt in self._journal.void_since_receipt():
            latest = attempt.sent_at + self._certainty_seconds + _LATE_SECONDS
            running = {entry.deploy_id for entry in look.active}
            came = [
                entry
                for entry in attempt.deployments_since(look)
                if entry.deploy_id in running
                and (entry.launched_at is None or entry.launched_at.timestamp() <= latest)
            ]
            if len(came) > 1:
                raise self._uncertain(attempt, f"several deployments run since: {named(came)}")
            if came:
                log.warning("%s turned up late, made by an earlier attempt.", came[0].deploy_id)
                self._journal.attempts.remove(attempt)
                self._journal.attempts.append(attempt)
                return self.receive(attempt, came[0].deploy_id, "found")
        return None

    def receive(self, attempt: SendAttempt, deploy_id: str, how: str) -> SendAttempt:
        """Note that *intent* became *deploy_id*, and return it."""
        attempt.state, attempt.deploy_id, attempt.how = RECEIPT, deploy_id, how
        self._journal.redeploy = None
        self._journal.save()
        log.info("Project %s: deployment %s (%s).", self._project_id, deploy_id, how)
        return attempt

    def _counted_from(self, attempt: SendAttempt, now: float) -> float:
        """From when the time counts in which a deployment may turn up; another host's clock is no measure."""
        if attempt.host != socket.gethostname():
            return now
        return min(attempt.unclear_at or attempt.sent_at, now)

    def _the_one(self, attempt: SendAttempt, look: ProjectObservation) -> Observation | None:
        found = attempt.deployments_since(look)
        if len(found) > 1:
            raise self._uncertain(attempt, f"several deployments appeared since: {named(found)}")
        return found[0] if found else None

    def _nothing(self, attempt: SendAttempt) -> NotDeployedError:
        attempt.state = VOID
        self._journal.save()
        return NotDeployedError(
            f"live/create for project {self._project_id} was sent at {_at(attempt.sent_at)} without a clear "
            f"answer, and no deployment turned up within {self._certainty_seconds:.0f} s.",
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


def _is_complete(attempt: SendAttempt, look: ProjectObservation) -> bool:
    """Whether *look* shows anything of what was there before; an empty list then proves nothing."""
    return not attempt.known or any(deploy_id in look.seen for deploy_id in attempt.known)


def _at(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds).astimezone().isoformat(timespec="seconds")
