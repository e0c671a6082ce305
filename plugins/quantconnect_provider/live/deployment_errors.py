"""What can go wrong with a deployment, one class for each thing that a person must do about it.

All are ``QuantConnectError``: ``retryable`` says whether trying the task again can help and is safe.
"""

from __future__ import annotations

from quantconnect_provider.client.errors import QuantConnectError


class BuildFailedError(QuantConnectError):
    """The project does not compile; the message carries the compiler's lines."""

    default_advice = "Fix the project's code, and run again."


class NoFreeNodeError(QuantConnectError):
    """No live node is free, or the one asked for is busy. Nothing was deployed."""

    retryable = True
    default_advice = "Wait for a node, stop what is not needed, or add a live node to the organization."


class AlreadyRunningError(QuantConnectError):
    """The project has a running deployment that this task did not make. Nothing was sent."""

    default_advice = "Stop it first, or run again with if_running 'adopt' or 'redeploy'."


class DeploymentEndedError(QuantConnectError):
    """The deployment that this task made has ended, and ``on_clear`` does not say to make another."""

    default_advice = "Trigger a new run to deploy again, or set on_clear='deploy' on the task."


class DeploymentFailedError(QuantConnectError):
    """The deployment was made and ended instead of running; the message carries its last log lines."""

    default_advice = "Read its log, fix the cause, and trigger a new run."


class DeploymentUncertainError(QuantConnectError):
    """It is not known whether a deployment was started. Nothing is sent while that is so."""

    maybe_applied = True
    default_advice = (
        "Open the project on quantconnect.com and stop what should not run. Then clear this task: it polls "
        "again, and sends nothing while it is uncertain."
    )


class NotDeployedError(QuantConnectError):
    """The request to deploy had no clear answer, and it is now certain that it deployed nothing."""

    retryable = True
    default_advice = "The next attempt may deploy."


class WaitTimeoutError(QuantConnectError):
    """A wait reached its limit. What was waited for may still happen; nothing was stopped."""

    default_advice = "Clear the task to wait again; it goes on with the same deployment."


class WatchFailedError(QuantConnectError):
    """Too many polls in a row failed. What was waited for goes on at QuantConnect."""

    retryable = True
    default_advice = "The next attempt goes on with the same deployment."


class NotCurrentError(QuantConnectError):
    """The deployment to wind down is not the one that stop and liquidate would act on. Nothing was sent."""

    default_advice = (
        "Wind it down on quantconnect.com: the API can only act on a project's newest deployment."
    )


class NotFlatError(QuantConnectError):
    """The deployment is over and holdings are left in the account."""

    default_advice = "Close them at the brokerage, or deploy and liquidate again when the market is open."
