"""When a failed task may try again: Airflow's retry policy for everything that talks to QuantConnect."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy

from quantconnect_provider.client.errors import QuantConnectError

if TYPE_CHECKING:
    from airflow.sdk import Context


class QuantConnectRetryPolicy(RetryPolicy):
    """Fails at once where another attempt cannot help or could cost money; waits as long as the API asks.

    Credentials, bad input, build errors and uncertainty about money are not retried; limits and outages
    are, after the delay that the API gave, else after the task's own ``retry_delay``. Errors that are not
    QuantConnect's keep the task's ordinary behaviour. Give it to a task, or to a whole DAG::

        default_args={"retries": 3, "retry_policy": QuantConnectRetryPolicy()}
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide on the exception alone; runs in the worker. The task's ``retries`` stay the upper limit."""
        if not isinstance(exception, QuantConnectError):
            return RetryDecision.default()
        name = type(exception).__name__
        if not exception.retryable:
            return RetryDecision.fail(reason=f"{name}: trying again cannot help or is not safe")
        wait = exception.retry_after_seconds
        if wait is None:
            return RetryDecision.retry(reason=f"{name}: temporary")
        return RetryDecision.retry(
            delay=timedelta(seconds=max(wait, 1.0)), reason=f"{name}: the API asked for {wait:g} s"
        )

    def serialize(self) -> dict[str, Any]:
        """Return what Airflow stores of the policy; it has no settings."""
        return {"__type": f"{type(self).__module__}.{type(self).__qualname__}"}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> QuantConnectRetryPolicy:
        """Return the policy again."""
        return cls()
