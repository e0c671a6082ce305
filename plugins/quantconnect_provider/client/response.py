"""Reads one HTTP response: the JSON object that it carries, or the error that it means.

QuantConnect says no in several ways: ``success: false`` with HTTP 200, ``errors``, ``messages`` or
``Message``, plain status codes, HTML from a proxy. This is the only place that knows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, TypeVar

from pendulum import DateTime

from quantconnect_provider.client.decode import read_lines
from quantconnect_provider.client.endpoints import Endpoint
from quantconnect_provider.client.errors import (
    ClockSkewError,
    CredentialsError,
    InvalidSettingError,
    NeverDeployedError,
    NotFoundError,
    QuantConnectError,
    RateLimitedError,
    RefusedError,
    ServerError,
    StillLoadingError,
    UnreadableAnswerError,
)
from quantconnect_provider.client.json_body import read_json
from quantconnect_provider.client.odd_values import shorten

_CREDENTIALS = re.compile(
    r"^\s*(hash doesn't match|userid not valid|invalid timestamp)"
    r"|too many (failed|invalid|unsuccessful|login|authentication)[\w ]* attempts",
    re.IGNORECASE,
)
# "Too many files" and the like are limits of the account or the project: waiting does not help.
_THROTTLED = re.compile(
    r"too many ((api|http|concurrent|parallel|simultaneous|recent) ){0,2}(requests|calls)\b"
    r"|(?<!interest )rate[ -]?limit|slow down|request limit|throttl(ed|ing)",
    re.IGNORECASE,
)
_NEVER_DEPLOYED = re.compile(r"no live deployment found", re.IGNORECASE)
_NOT_FOUND = re.compile(r"not found|does not exist|doesn't exist|no such", re.IGNORECASE)
_INTERNAL = re.compile(r"internal (server )?error", re.IGNORECASE)
_CLOCK_BEHIND_SECONDS = 7000  # signatures older than 7200 s are refused
_CLOCK_AHEAD_SECONDS = 300  # how far ahead is tolerated is not known
_LONGEST_RETRY_AFTER_SECONDS = 900.0
_WORDS_SHOWN = 300
_EXCERPT_BYTES = 1_000_000
# Each alternative reads on to the end where nothing closes it: no page can make this slow.
_MARKUP = re.compile(r"<(script|style)\b.*?(?:</\1>|\Z)|<[^<>]*(?:>|\Z)?", re.DOTALL)
_YES_OR_NO = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False, "": False}


_ErrorT = TypeVar("_ErrorT", bound=QuantConnectError)


@dataclass(frozen=True)
class RawResponse:
    """An HTTP response as it came, and when (UTC) the request for it was sent."""

    endpoint: Endpoint
    status: int
    headers: Mapping[str, str]
    body: bytes
    requested_at: DateTime


def read_response(response: RawResponse) -> dict[str, Any]:
    """Return the JSON object of a successful *response*.

    :raises QuantConnectError: the subclass for what the response means.
    """
    payload = _json_object(response)
    words = error_words(payload) if payload is not None else ()
    success = None if payload is None else _success(payload, words)
    if payload is not None and not words and response.status < 300 and _is_loading(response, payload):
        raise _error(StillLoadingError, response, (), "'loading' instead of data")
    if payload is not None and response.status < 300 and response.endpoint.is_result(payload):
        return payload
    if response.status >= 300 or success is False:
        raise _error_for(response, words)
    if payload is None:
        what = f"a response that is not JSON: {_excerpt(response.body)}"
        raise _error(UnreadableAnswerError, response, (), what)
    if success is None:
        what = f"success {shorten(payload['success'])}, which is neither yes nor no"
        raise _error(UnreadableAnswerError, response, words, what)
    return payload


def _json_object(response: RawResponse) -> dict[str, Any] | None:
    try:
        payload = read_json(response.body, endpoint=response.endpoint.path)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _is_loading(response: RawResponse, payload: dict[str, Any]) -> bool:
    stands_in = payload.get("status") == "loading" and "progress" in payload
    return stands_in or response.endpoint.is_loading(payload)


def _success(payload: dict[str, Any], words: tuple[str, ...]) -> bool | None:
    """Return whether the API did what was asked; None if the response does not say."""
    value = payload.get("success")
    if value is None and words:
        return False
    if "success" not in payload:
        return True  # not every response has it
    return _YES_OR_NO.get(str(value).strip().lower())


def is_no(payload: dict[str, Any]) -> bool:
    """Whether ``success`` says no, in any spelling."""
    return _YES_OR_NO.get(str(payload.get("success")).strip().lower()) is False


def error_words(payload: dict[str, Any]) -> tuple[str, ...]:
    """Collect the API's words from the places where it puts them."""
    places = ["errors", "messages", "Message"]
    if is_no(payload):
        places += ["message", "error"]  # good responses of live/read and live/list carry these too
    return tuple(line for place in places for line in read_lines(payload.get(place)))


def _error_for(response: RawResponse, words: tuple[str, ...]) -> QuantConnectError:
    text = " ".join(words)
    status = response.status
    came_back = f"HTTP {status}" if status >= 300 else "no"
    retry_after = _retry_after_seconds(response.headers)
    if _CREDENTIALS.search(text) or status == 401:
        return _credentials_error(response, words)
    if status == 429 or (status == 503 and retry_after is not None) or _THROTTLED.search(text):
        return _error(RateLimitedError, response, words, "'slow down'", retry_after=retry_after)
    if status >= 500 or status == 408 or _INTERNAL.search(text):
        return _error(ServerError, response, words, came_back, retry_after=retry_after)
    if 300 <= status < 400:
        target = response.headers.get("Location", "elsewhere")
        return _error(
            InvalidSettingError,
            response,
            words,
            f"a redirect to {target}",
            advice="Set the connection's host to it.",
        )
    if _NEVER_DEPLOYED.search(text):
        return _error(NeverDeployedError, response, words, came_back)
    if status == 404 and not words:
        advice = "Check the connection's host; its path should end in /api/v2."
        return _error(NotFoundError, response, words, came_back, advice=advice)
    if status == 404 or _NOT_FOUND.search(text):
        return _error(NotFoundError, response, words, came_back)
    if not words and status >= 300:
        words = (_excerpt(response.body),)
    return _error(RefusedError, response, words, came_back)


def _credentials_error(response: RawResponse, words: tuple[str, ...]) -> CredentialsError:
    skew = _clock_skew_seconds(response)
    if skew is not None and not -_CLOCK_BEHIND_SECONDS < skew < _CLOCK_AHEAD_SECONDS:
        direction = "behind" if skew < 0 else "ahead of"
        came_back = f"no, and this machine's clock is {abs(skew):,.0f} s {direction} the API's"
        return _error(ClockSkewError, response, words, came_back)
    return _error(CredentialsError, response, words, "that it does not accept the credentials")


def _clock_skew_seconds(response: RawResponse) -> float | None:
    """Return how far this machine's clock was ahead (negative: behind) when the request was sent."""
    try:
        server_time = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    if server_time.tzinfo is None:
        server_time = server_time.replace(tzinfo=timezone.utc)
    return response.requested_at.timestamp() - server_time.timestamp()


def _retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``, which is a number of seconds or a date."""
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value)
            now = parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(timezone.utc)
            seconds = (until - now).total_seconds()
        except (TypeError, ValueError, ArithmeticError):
            return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_SECONDS) if isfinite(seconds) else None


def _error(
    kind: type[_ErrorT],
    response: RawResponse,
    words: tuple[str, ...],
    came_back: str,
    *,
    retry_after: float | None = None,
    advice: str | None = None,
) -> _ErrorT:
    said = f": {' | '.join(words)}" if words else ""
    message = f"{response.endpoint.path} was answered with {came_back}{said}".rstrip(".") + "."
    return kind(
        message,
        endpoint=response.endpoint.path,
        api_errors=words,
        http_status=response.status,
        retry_after_seconds=retry_after,
        advice=advice,
    )


def _excerpt(body: bytes) -> str:
    """Return the visible words of a body that should have been JSON, shortened."""
    text = _MARKUP.sub(" ", body[:_EXCERPT_BYTES].decode("utf-8", "replace"))
    text = " ".join(text.split())
    if len(text) > _WORDS_SHOWN:  # between words: half of a secret would not be found in it
        text = (text[:_WORDS_SHOWN].rpartition(" ")[0] or text[:_WORDS_SHOWN]) + "…"
    return text or "an empty body"
