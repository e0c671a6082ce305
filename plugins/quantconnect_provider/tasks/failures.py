"""How errors of this package end a task: one clear line, and another attempt only where it can help."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from quantconnect_provider.client.errors import QuantConnectError


class QuantConnectTaskFailed(AirflowFailException):
    """The task fails now and is not retried: another attempt cannot help, or is not safe.

    :param error: what happened; its class tells what a person must do about it.
    """

    def __init__(self, error: QuantConnectError) -> None:
        super().__init__(str(error))
        self.error = error


class plain_errors:
    """Lets errors of QuantConnect end the task with their one line instead of the way that they took.

    What another attempt may cure passes, for the task's retries and their policy; the rest fails the task
    at once, whatever its retries. Anything else is a bug and keeps its traceback. Used as
    ``with plain_errors():`` around what a task does.

    :raises QuantConnectTaskFailed: on leaving, for errors that are not retryable.
    """

    def __init__(self) -> None:
        self._secrets: list[str] = []

    def __enter__(self) -> plain_errors:
        """Return this, for :meth:`hide`."""
        return self

    def hide(self, secrets: Iterable[str]) -> None:
        """Keep *secrets* out of the error's text, under whatever name the API may quote them."""
        self._secrets.extend(secrets)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from quantconnect_provider.client.errors import QuantConnectError
        from quantconnect_provider.client.redaction import redact

        if not isinstance(error, QuantConnectError):
            return
        error.args = tuple(redact(str(part), self._secrets) for part in error.args)
        error.api_errors = tuple(redact(part, self._secrets) for part in error.api_errors)
        plain = error if error.retryable else QuantConnectTaskFailed(error)
        raise plain.with_traceback(None) from None
