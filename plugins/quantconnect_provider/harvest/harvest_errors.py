"""Errors of the harvest, besides those of the client."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.store.text import storable


class UnstableListError(QuantConnectError):
    """A deployment's list of insights changed faster than it could be read. What was read is stored."""

    retryable = True
    default_advice = "Run the harvest again; it goes on from what is stored."


class HarvestFailedError(QuantConnectError):
    """At least one deployment of a batch could not be harvested; the others were.

    ``retryable`` if another attempt may help at least one of them.
    """

    def __init__(self, message: str, *, retryable: bool, retry_after_seconds: float | None = None) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds, advice="")
        self.retryable = retryable

    def __reduce__(self) -> tuple[object, ...]:
        return _failed, (str(self.args[0]), self.retryable, self.retry_after_seconds)


def _failed(message: str, retryable: bool, retry_after_seconds: float | None) -> HarvestFailedError:
    return HarvestFailedError(message, retryable=retryable, retry_after_seconds=retry_after_seconds)


def raise_failures(failures: Sequence[tuple[str, Exception]], summary: str) -> None:
    """Raise one error for all that failed; nothing without failures.

    :param failures: of each, what it is, and its error.
    :param summary: the first line of the message.
    :raises HarvestFailedError: retryable if another attempt may help one of them.
    """
    if not failures:
        return
    errors = [error for _, error in failures]
    waits = [getattr(error, "retry_after_seconds", None) or 0.0 for error in errors]
    raise HarvestFailedError(
        "\n".join([summary, *(f"  {what}: {one_line(error)}" for what, error in failures)]),
        retryable=any(error.retryable if isinstance(error, QuantConnectError) else True for error in errors),
        retry_after_seconds=max(waits) or None,
    )


def one_line(error: Exception | None) -> str:
    """Return an error's text on one line; of a database's error only what the database said."""
    words = error.orig if isinstance(error, DBAPIError) else error
    return storable(" ".join(str(words).split())) or type(error).__name__


class PositionsShiftedError(Exception):
    """Internal: rows have moved to other positions, or another harvest has stored something newer."""
