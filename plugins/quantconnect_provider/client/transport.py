"""The one way in which a request reaches QuantConnect: wait for a turn, sign, send, read, retry or raise."""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import msgspec
import requests
import tenacity
import urllib3.exceptions
from pendulum import DateTime

from quantconnect_provider import __version__
from quantconnect_provider.client.account import Account
from quantconnect_provider.client.answer_limits import (
    LARGEST_ANSWER_BYTES,
    LARGEST_DOWNLOAD_BYTES,
    LARGEST_ERROR_BYTES,
    LimitedAdapter,
    read_body,
)
from quantconnect_provider.client.endpoints import Endpoint
from quantconnect_provider.client.errors import (
    InvalidSettingError,
    OutcomeUnknownError,
    QuantConnectError,
    RateLimitedError,
    ServerError,
    StillLoadingError,
    UnreachableError,
    UnreadableAnswerError,
)
from quantconnect_provider.client.odd_values import cap
from quantconnect_provider.client.redaction import redact, redact_body, secret_leaves
from quantconnect_provider.client.response import RawResponse, read_response
from quantconnect_provider.client.retry_settings import RetrySettings
from quantconnect_provider.client.signing import SignedAuth
from quantconnect_provider.client.throttle import Throttle
from quantconnect_provider.client.times import utc_now
from quantconnect_provider.plain_text import visible

log = logging.getLogger(__name__)

_ENCODER = msgspec.json.Encoder(decimal_format="number")  # quantities keep every digit
_UNCLEAR = (ServerError, UnreadableAnswerError, StillLoadingError)
_CONNECT_TIMEOUT_SECONDS = 10.0
_CONNECTIONS = 32
_WORDS_KEPT = 20
_POOL = re.compile(r"^\w+Pool\([^)]*\): ")


class Transport:
    """Sends requests of one account over one pooled session; safe to use from several threads."""

    def __init__(self, account: Account, retry: RetrySettings, throttle: Throttle) -> None:
        self._account = account
        self._retry = retry
        self._throttle = throttle
        self._count_lock = threading.Lock()
        self.requests_sent = 0
        self.waiting_seconds = 0.0
        self._session = requests.Session()
        self._session.auth = SignedAuth(account)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # it has no use for any
        downloads = f"{account.base_url}/live/export/"
        for begin in ("http://", "https://", downloads):
            largest_bytes = LARGEST_DOWNLOAD_BYTES if begin == downloads else LARGEST_ANSWER_BYTES
            adapter = LimitedAdapter(largest_bytes, pool_connections=1, pool_maxsize=_CONNECTIONS)
            self._session.mount(begin, adapter)
        self._session.headers["User-Agent"] = f"airflow-provider-quantconnect/{__version__}"
        # Proxies and certificates come from the environment; finding them costs more than
        # preparing the request does, so it is done once.
        self._environment: dict[str, Any] = dict(
            self._session.merge_environment_settings(account.base_url, {}, None, None, None)
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def call(self, endpoint: Endpoint, body: dict[str, Any]) -> tuple[dict[str, Any], RawResponse]:
        """Send *body* to *endpoint* and return the JSON object that came back, and the raw response.

        :raises QuantConnectError: the subclass for what went wrong, after the repeats that are allowed.
        :raises OutcomeUnknownError: if the endpoint must not be repeated and the outcome is unclear.
        """
        if not endpoint.repeat_safe:
            return self._call_once(endpoint, body)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, QuantConnectError) and error.retryable
            ),
            stop=self._is_last_attempt,
            wait=self._wait_seconds,
            before_sleep=self._log_retry,
            reraise=True,
        )
        return retrying(self._attempt, endpoint, body)

    @contextmanager
    def stream(self, endpoint: Endpoint, body: dict[str, Any]) -> Iterator[requests.Response]:
        """Send one request whose response is too large to hold; yields it with the body unread.

        Not retried here: the caller knows which rows are missing when the stream breaks.

        :raises QuantConnectError: for a response with an error status or a connection that fails.
        """
        with self._turn(body):
            response, requested_at = self._send(endpoint, body)
            if response.status_code >= 300:
                read_response(self._read(endpoint, response, requested_at, body))
        try:
            with response, self._errors_of_requests(endpoint):
                yield response
        except QuantConnectError as error:
            self._complete(error, body)
            raise

    def _call_once(self, endpoint: Endpoint, body: dict[str, Any]) -> tuple[dict[str, Any], RawResponse]:
        # The API may just have closed an idle pooled connection. Sending on it would fail in a way that
        # cannot be told from a lost response; a new connection fails before anything is sent.
        self._session.close()
        try:
            return self._attempt(endpoint, body)
        except QuantConnectError as error:
            failed_inside = isinstance(error, _UNCLEAR) or (error.http_status or 0) >= 500
            if error.maybe_applied or failed_inside:
                raise OutcomeUnknownError(
                    f"{endpoint.path} was sent once; whether it took effect is not known: {error.args[0]}",
                    endpoint=endpoint.path,
                    api_errors=error.api_errors,
                    http_status=error.http_status,
                ) from error
            raise

    def _attempt(self, endpoint: Endpoint, body: dict[str, Any]) -> tuple[dict[str, Any], RawResponse]:
        with self._turn(body):
            response, requested_at = self._send(endpoint, body)
            raw = self._read(endpoint, response, requested_at, body)
            return read_response(raw), raw

    @contextmanager
    def _turn(self, body: dict[str, Any]) -> Iterator[None]:
        """Wait for a turn, report to the throttle how the request went, keep secrets out of the error."""
        self._throttle.wait_turn()
        try:
            yield
        except RateLimitedError as error:
            error.retry_after_seconds = self._throttle.refused(error.retry_after_seconds)
            self._complete(error, body)
            raise
        except QuantConnectError as error:
            self._throttle.failed()
            self._complete(error, body)
            raise
        except BaseException:
            self._throttle.failed()
            raise
        self._throttle.granted()

    def _send(self, endpoint: Endpoint, body: dict[str, Any]) -> tuple[requests.Response, DateTime]:
        """Send the request; returns the response with its body unread, and when the request was sent."""
        requested_at = utc_now()
        prepared = self._session.prepare_request(
            requests.Request(
                "POST",
                f"{self._account.base_url}/{endpoint.path}",
                data=_ENCODER.encode(body),
                headers={"Content-Type": "application/json"},
            )
        )
        timeout = self._account.timeout_seconds * endpoint.timeout_factor
        try:
            with self._waiting(), self._errors_of_requests(endpoint):
                response = self._session.send(
                    prepared,
                    timeout=(min(_CONNECT_TIMEOUT_SECONDS, timeout), timeout),
                    allow_redirects=False,
                    **{**self._environment, "stream": True},
                )
        finally:
            with self._count_lock:
                self.requests_sent += 1
        return response, requested_at

    def _read(
        self, endpoint: Endpoint, response: requests.Response, requested_at: DateTime, body: dict[str, Any]
    ) -> RawResponse:
        """Read the whole answer to *body*; what the request had of secrets comes out of it at once."""
        status = response.status_code
        with self._waiting(), response, self._errors_of_requests(endpoint):
            largest_bytes = LARGEST_ERROR_BYTES if status >= 300 else LARGEST_ANSWER_BYTES
            content, is_whole = read_body(response, largest_bytes)
        if not is_whole and status < 300:
            raise UnreadableAnswerError(
                f"{endpoint.path} was answered with more than {largest_bytes:,} bytes.",
                endpoint=endpoint.path,
                http_status=status,
            )
        signature = response.request.headers["Authorization"].partition(" ")[2]
        secrets = [self._account.api_token, signature, *secret_leaves(body)]
        return RawResponse(endpoint, status, response.headers, redact_body(content, secrets), requested_at)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._count_lock:
                self.waiting_seconds += time.perf_counter() - began

    @contextmanager
    def _errors_of_requests(self, endpoint: Endpoint) -> Iterator[None]:
        """Turn what requests raises into our errors, saying whether the request can have arrived."""
        base_url = self._account.base_url
        try:
            yield
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
            raise InvalidSettingError(
                f"{base_url!r} is not an address.",
                advice="Set the connection's host to the API's base URL.",
            ) from error
        except requests.exceptions.RequestException as error:
            unsent = _was_not_sent(error)
            what = "could not be sent to" if unsent else "got no complete response from"
            mapped = UnreachableError(
                f"{endpoint.path} {what} {base_url}: {_reason(error)}.", endpoint=endpoint.path
            )
            mapped.maybe_applied = not unsent
            raise mapped from None  # its text may hold what the API sent, uncut

    def _complete(self, error: QuantConnectError, body: dict[str, Any]) -> None:
        """Redact every secret in an error's text, then cut it short, and name the project in it."""
        secrets = [self._account.api_token, *secret_leaves(body)]
        error.args = tuple(cap(visible(redact(str(part), secrets))) for part in error.args)
        project_id = body.get("projectId")
        if project_id is not None and str(project_id) not in str(error):
            # The API's own words do not name it, and the log of a task with many projects needs it.
            error.args = (f"Project {project_id}: {error.args[0]}", *error.args[1:])
        error.api_errors = tuple(
            cap(visible(redact(part, secrets))) for part in error.api_errors[:_WORDS_KEPT]
        )

    def _is_last_attempt(self, state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimitedError):
            return (state.seconds_since_start or 0.0) >= self._retry.rate_limited_seconds
        return state.attempt_number >= self._retry.attempts

    def _wait_seconds(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimitedError):
            return 0.0  # the throttle makes every thread wait, this one included
        if isinstance(error, StillLoadingError):
            return self._retry.loading_seconds
        asked = getattr(error, "retry_after_seconds", None) or 0.0
        growing: float = self._retry.first_wait_seconds * 2.0 ** (state.attempt_number - 1)
        return min(max(asked, growing), self._retry.longest_wait_seconds)

    def _log_retry(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.upcoming_sleep or getattr(error, "retry_after_seconds", None) or 0.0
        message = error.args[0] if error and error.args else error
        log.warning("%s Trying again in %.1f s (attempt %d).", message, seconds, state.attempt_number + 1)


def _was_not_sent(error: requests.exceptions.RequestException) -> bool:
    """Whether it is certain that no byte of the request reached the API."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(reason, urllib3.exceptions.SSLError):
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    if isinstance(reason, urllib3.exceptions.ProxyError):
        reason = reason.original_error
    return isinstance(reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError))


def _reason(error: Exception) -> str:
    """Say what went wrong in a few words, without the objects that urllib3 puts into its texts."""
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    reason = getattr(cause, "reason", None) or cause
    words = _POOL.sub("", str(reason).rsplit(">: ", 1)[-1]) or type(reason).__name__
    return f"{type(error).__name__} ({words})"
