"""What can go wrong with QuantConnect's API, one class for each thing that a user must do about it."""

from __future__ import annotations


class QuantConnectError(Exception):
    """Root of everything that this package raises about QuantConnect.

    :param message: what was asked and what came back, in one sentence.
    :param endpoint: the API path that was asked, e.g. ``live/read``; empty when nothing was sent.
    :param api_errors: the API's own words, its support reference (``REF #...``) included.
    :param http_status: the answer's HTTP status, if there was an answer.
    :param retry_after_seconds: how long the API asked to wait.
    :param advice: what to do next; each class has a default.

    ``retryable`` says whether the same request may be sent again later with hope of success, and
    ``maybe_applied`` whether the request may have taken effect although no clear answer came.
    """

    retryable: bool = False
    maybe_applied: bool = False
    default_advice: str = ""

    def __init__(
        self,
        message: str,
        *,
        endpoint: str = "",
        api_errors: tuple[str, ...] = (),
        http_status: int | None = None,
        retry_after_seconds: float | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.api_errors = api_errors
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds
        self.advice = self.default_advice if advice is None else advice

    def __str__(self) -> str:
        message = str(self.args[0]) if self.args else type(self).__name__
        return f"{message} {self.advice}".strip()


class InvalidSettingError(QuantConnectError):
    """A setting that cannot be right; found before anything was sent."""


class CredentialsError(QuantConnectError):
    """The API does not accept the user id and token. Never retried: repeated failures can lock an account."""

    default_advice = (
        "Check login (user id) and password (API token) of the quantconnect connection against "
        "quantconnect.com/account."
    )


class ClockSkewError(CredentialsError):
    """The API refused the signature, and this machine's clock is far from the API's."""

    default_advice = "Set this machine's clock (NTP); requests are signed with the time."


class NotFoundError(QuantConnectError):
    """What was asked for does not exist, or this account may not see it."""

    default_advice = "Check the id, and that the account of the connection has access to it."


class NeverDeployedError(NotFoundError):
    """The project exists but never had a live deployment."""

    default_advice = "Deploy the project first (DAG quantconnect_deploy), or take it off the list."


class RefusedError(QuantConnectError):
    """The API understood the request and said no."""

    default_advice = "Read the API's words above; the same request will be refused again."


class RateLimitedError(QuantConnectError):
    """The API asks for fewer requests."""

    retryable = True
    default_advice = "Set requests_per_minute in the connection's extra to stay below the limit."


class ServerError(QuantConnectError):
    """The API failed on its side (HTTP 5xx or an internal error)."""

    retryable = True
    default_advice = "This is usually temporary; see status.quantconnect.com if it goes on."


class UnreachableError(QuantConnectError):
    """No connection to the API, or it broke before a whole answer came."""

    retryable = True
    default_advice = "Check the connection's host, DNS, proxy and firewall."


class UnreadableAnswerError(QuantConnectError):
    """An answer came that is not what the API sends: HTML, cut off, or without a needed field."""

    retryable = True
    default_advice = (
        "If it stays so, check the connection's host (a proxy or login page may answer in its place)."
    )


class StillLoadingError(QuantConnectError):
    """The API is still preparing the data (a ``loading`` answer)."""

    retryable = True
    default_advice = "Ask again in a few minutes."


class OutcomeUnknownError(QuantConnectError):
    """A request that must not be repeated got no clear answer: it may or may not have taken effect.

    ``__cause__`` is what happened. Look at live/list and live/read before anything is sent again.
    """

    maybe_applied = True
    default_advice = "Nothing is sent again; look at the project's deployments to see whether it took effect."
