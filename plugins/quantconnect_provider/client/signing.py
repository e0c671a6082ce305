"""Signs requests: https://www.quantconnect.com/docs/v2/cloud-platform/api-reference/authentication."""

from __future__ import annotations

import hashlib
import time

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from quantconnect_provider.client.account import Account


class SignedAuth(AuthBase):
    """Basic authentication with the user id and a hash of token and time; the token itself is never sent.

    requests calls this once for each request that it prepares, so that every attempt has a new hash: the
    API refuses a signature that is two hours old.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the headers ``Timestamp`` and ``Authorization``."""
        timestamp = str(int(time.time()))
        digest = hashlib.sha256(f"{self._account.api_token}:{timestamp}".encode()).hexdigest()
        request.headers["Timestamp"] = timestamp
        HTTPBasicAuth(self._account.user_id, digest)(request)
        return request
