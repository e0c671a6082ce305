"""How often the client repeats a request that is safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RetrySettings:
    """How often and how long requests that are safe to repeat are repeated.

    :param attempts: sends at most, the first included; rate limited ones do not count.
    :param first_wait_seconds: before the first repeat; doubles each time.
    :param longest_wait_seconds: before any repeat, whatever the API asks for.
    :param rate_limited_seconds: how long one request waits at most while the API asks for fewer requests.
    :param loading_seconds: before asking again for data that the API is still loading.
    """

    attempts: int = 5
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    rate_limited_seconds: float = 900.0
    loading_seconds: float = 5.0
