"""The account's credentials, checked as QuantConnect checks them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable

from quantconnect_provider.sandbox.answers import ApiError


class Credentials:
    """The one user that there is."""

    def __init__(self, user_id: int | str, api_token: str) -> None:
        self.user_id = str(user_id)
        self._token = api_token

    def check(
        self, authorization: bytes, timestamp: bytes, reference: Callable[[], str], window: float
    ) -> None:
        """Raise ApiError unless the headers are a fresh signature of this user.

        :param authorization: the Authorization header: Basic, user id and sha256(token:timestamp)
        :param timestamp: the Timestamp header: unix seconds
        :param reference: gives a support reference for the error text
        :param window: seconds by which the timestamp may be off, either way
        """
        user, signature = _basic(authorization)
        if user != self.user_id:
            raise ApiError(f"UserID not valid (None) {reference()}")
        stamp = timestamp.decode("latin-1")
        if not stamp.isdecimal():
            raise ApiError("Invalid timestamp, value received: 0")
        expected = hashlib.sha256(f"{self._token}:{stamp}".encode()).hexdigest()
        fresh = abs(time.time() - int(stamp)) <= window
        if not fresh or not hmac.compare_digest(expected.encode(), signature.encode()):
            raise ApiError(
                f"Hash doesn't match. Please check your API token and the timestamp. {reference()}"
            )


def _basic(header: bytes) -> tuple[str, str]:
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
