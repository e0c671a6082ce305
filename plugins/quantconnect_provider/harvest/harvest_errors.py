"""Errors of the harvest, besides those of the client."""

from __future__ import annotations

from quantconnect_provider.client.errors import QuantConnectError


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


class PositionsShiftedError(Exception):
    """Internal: rows have moved to other positions, or another harvest has stored something newer."""
