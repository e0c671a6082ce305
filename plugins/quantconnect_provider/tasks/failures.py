"""How errors of this package end a task: one clear line, and another attempt only where it can help."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

import structlog
from airflow.sdk.exceptions import AirflowFailException

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.client.redaction import redact

if TYPE_CHECKING:
    from structlog.typing import EventDict


class TaskFailed(AirflowFailException):
    """The task fails now and is not retried; the log shows its one line and no stack of calls.

    :param message: what happened, and what a person can do about it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        _log_without_traceback()

    @property
    def reason(self) -> str:
        """The line for the log."""
        return str(self)


class QuantConnectTaskFailed(TaskFailed):
    """A task failed with an error that another attempt cannot cure, or not safely.

    :param error: what happened; its class says what a person must do about it.
    """

    def __init__(self, error: QuantConnectError) -> None:
        super().__init__(str(error))
        self.error = error

    @property
    def reason(self) -> str:
        """The line for the log."""
        return f"{type(self.error).__name__}: {self}"


class plain_errors:  # noqa: N801 - a context manager reads as a verb
    """Lets QuantConnect's errors end the task with their one line instead of a stack of calls.

    What another attempt may cure passes, for the task's retries and their policy; the rest fails the task
    at once, whatever its retries. Anything else is a bug and keeps its traceback. Used as
    ``with plain_errors():`` around what a task does.

    :raises QuantConnectTaskFailed: on leaving, for errors that are not retryable.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, QuantConnectError):
            _log_without_traceback()
            plain = error if error.retryable else QuantConnectTaskFailed(error)
            raise plain.with_traceback(None) from None


@contextmanager
def hiding(secrets: Iterable[str]) -> Iterator[None]:
    """Keep *secrets* out of the text of QuantConnect's errors, under whatever name the API may quote them."""
    hidden = list(secrets)
    try:
        yield
    except QuantConnectError as error:
        error.args = tuple(redact(str(part), hidden) for part in error.args)
        error.api_errors = tuple(redact(part, hidden) for part in error.api_errors)
        raise


def _log_without_traceback() -> None:
    """Let Airflow log QuantConnect's errors with their text only.

    Airflow logs every failed task with a traceback through its own files, which says nothing about a wrong
    token or a project that does not exist. Its logging is a chain of structlog processors, and this adds one.
    """
    processors = structlog.get_config()["processors"]
    if isinstance(processors, list) and _without_traceback not in processors:
        processors.insert(0, _without_traceback)


def _without_traceback(logger: Any, method: str, event_dict: EventDict) -> EventDict:
    error = sys.exc_info()[1]
    if event_dict.get("exc_info") and isinstance(error, (QuantConnectError, TaskFailed)):
        del event_dict["exc_info"]
        reason = error.reason if isinstance(error, TaskFailed) else f"{type(error).__name__}: {error}"
        event_dict["event"] = f"{event_dict['event']}: {reason}"
    return event_dict
