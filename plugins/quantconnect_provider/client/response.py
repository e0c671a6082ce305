"""Reads one HTTP answer: the JSON object that it carries, or the error that it means.

QuantConnect says no in several ways: ``success: false`` with HTTP 200, ``errors``, ``messages`` or
``Message``, plain status codes, HTML from a proxy. This is the only place that knows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
from pendulum import DateTime

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

_CREDENTIALS = re.compile(
    r"^\s*(hash doesn't match|userid not valid|invalid timestamp)|too many failed attempts", re.IGNORECASE
)
# "Too many insights" would be about the window that was asked for, and no pause mends that.
_THROTTLED = re.compile(r"too many(?! (insights|rows|items|results))|rate limit|slow down", re.IGNORECASE)
_NEVER_DEPLOYED = re.compile(r"no live deployment found", re.IGNORECASE)
_NOT_FOUND = re.compile(r"not found|does not exist|doesn't exist|no such", re.IGNORECASE)
_INTERNAL = re.compile(r"internal (server )?error", re.IGNORECASE)
_CLOCK_BEHIND_SECONDS = 7000  # signatures older than 7200 s are refused
_CLOCK_AHEAD_SECONDS = 300  # how far ahead is tolerated is not known
_WORDS_SHOWN = 300


_ErrorT = TypeVar("_ErrorT", bound=QuantConnectError)


@dataclass(frozen=True)
class RawResponse:
    """An HTTP answer as it came, and when (UTC) the request for it was sent."""

    endpoint: Endpoint
    status: int
    headers: Mapping[str, str]
    body: bytes
    requested_at: DateTime


def read_response(answer: RawResponse) -> dict[str, Any]:
    """Return the JSON object of a successful *answer*.

    :raises QuantConnectError: the subclass for what the answer means.
    """
    payload = _json_object(answer)
    words = _error_words(payload) if payload is not None else ()
    said_no = payload is not None and (
        payload.get("success") is False or ("success" not in payload and words)
    )
    if answer.status >= 300 or said_no:
        raise _error_for(answer, words)
    if payload is None:
        raise _error(
            UnreadableAnswerError, answer, (), f"an answer that is not JSON: {_excerpt(answer.body)}"
        )
    if payload.get("status") == "loading" and "progress" in payload:
        raise _error(StillLoadingError, answer, (), "'loading' instead of data")
    return payload


def _json_object(answer: RawResponse) -> dict[str, Any] | None:
    try:
        payload = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return payload if isinstance(payload, dict) else None


def _error_words(payload: dict[str, Any]) -> tuple[str, ...]:
    """Collect the API's words from the three places where it puts them."""
    places = ["errors", "messages", "Message"]
    if payload.get("success") is False:
        places += ["message", "error"]  # good answers of live/read and live/list carry these too
    words: list[str] = []
    for place in places:
        value = payload.get(place)
        words += [str(entry) for entry in (value if isinstance(value, list) else [value]) if entry]
    return tuple(words)


def _error_for(answer: RawResponse, words: tuple[str, ...]) -> QuantConnectError:
    text = " ".join(words)
    status = answer.status
    came_back = f"HTTP {status}" if status >= 300 else "no"
    retry_after = _retry_after_seconds(answer.headers)
    if _CREDENTIALS.search(text) or status == 401:
        return _credentials_error(answer, words)
    if status == 429 or (status == 503 and retry_after is not None) or _THROTTLED.search(text):
        return _error(RateLimitedError, answer, words, "'slow down'", retry_after=retry_after)
    if status >= 500 or status == 408 or _INTERNAL.search(text):
        return _error(ServerError, answer, words, came_back, retry_after=retry_after)
    if 300 <= status < 400:
        target = answer.headers.get("Location", "elsewhere")
        return _error(
            InvalidSettingError,
            answer,
            words,
            f"a redirect to {target}",
            advice="Set the connection's host to it.",
        )
    if _NEVER_DEPLOYED.search(text):
        return _error(NeverDeployedError, answer, words, came_back)
    if status == 404 and not words:
        advice = "Check the connection's host; its path should end in /api/v2."
        return _error(NotFoundError, answer, words, came_back, advice=advice)
    if status == 404 or _NOT_FOUND.search(text):
        return _error(NotFoundError, answer, words, came_back)
    if not words and status >= 300:
        words = (_excerpt(answer.body),)
    return _error(RefusedError, answer, words, came_back)


def _credentials_error(answer: RawResponse, words: tuple[str, ...]) -> CredentialsError:
    skew = clock_skew_seconds(answer)
    if skew is not None and not -_CLOCK_BEHIND_SECONDS < skew < _CLOCK_AHEAD_SECONDS:
        direction = "behind" if skew < 0 else "ahead of"
        came_back = f"no, and this machine's clock is {abs(skew):,.0f} s {direction} the API's"
        return _error(ClockSkewError, answer, words, came_back)
    return _error(CredentialsError, answer, words, "that it does not accept the credentials")


def clock_skew_seconds(answer: RawResponse) -> float | None:
    """Return how far this machine's clock was ahead (negative: behind) when the request was sent."""
    try:
        server_time = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, TypeError, ValueError):
        return None
    if server_time.tzinfo is None:
        server_time = server_time.replace(tzinfo=timezone.utc)
    return answer.requested_at.timestamp() - server_time.timestamp()


def _retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``, which is a number of seconds or a date."""
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
        now = parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(timezone.utc)
        return max((until - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def _error(
    kind: type[_ErrorT],
    answer: RawResponse,
    words: tuple[str, ...],
    came_back: str,
    *,
    retry_after: float | None = None,
    advice: str | None = None,
) -> _ErrorT:
    said = f": {' | '.join(words)}" if words else ""
    message = f"{answer.endpoint.path} was answered with {came_back}{said}".rstrip(".") + "."
    return kind(
        message,
        endpoint=answer.endpoint.path,
        api_errors=words,
        http_status=answer.status,
        retry_after_seconds=retry_after,
        advice=advice,
    )


def _excerpt(body: bytes) -> str:
    """Return the visible words of a body that should have been JSON, shortened."""
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", body.decode("utf-8", "replace"), flags=re.DOTALL)
    text = " ".join(text.split())
    return (text[:_WORDS_SHOWN] + "…" if len(text) > _WORDS_SHOWN else text) or "an empty body"
