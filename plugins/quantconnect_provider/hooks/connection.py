"""What a `quantconnect` connection says, checked, before anything is sent."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from quantconnect_provider.client import DEFAULT_BASE_URL, QuantConnectClient, RetrySettings
from quantconnect_provider.client.account import Account, check_account
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.throttle import Throttle

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from sqlalchemy.engine import URL

DEFAULT_TIMEOUT_SECONDS = 30.0
_ORGANIZATION_ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


@dataclass(frozen=True)
class ApiAccess:
    """Everything that a client is made of; the token stays out of its printed form.

    :param store: where all workers share the `requests_per_minute`; None: each keeps to it by itself.
    """

    account: Account
    organization_id: str | None
    store: URL | None = field(default=None, repr=False)

    def client(self, retry: RetrySettings | None = None) -> QuantConnectClient:
        """Return a client; the caller closes it. ``retry`` replaces the client's own patience."""
        return QuantConnectClient(
            user_id=self.account.user_id,
            api_token=self.account.api_token,
            base_url=self.account.base_url,
            requests_per_minute=self.account.requests_per_minute,
            timeout_seconds=self.account.timeout_seconds,
            organization_id=self.organization_id,
            retry=retry,
            throttle=self._throttle(),
        )

    def _throttle(self) -> Throttle | None:
        rate = self.account.requests_per_minute
        if rate is None or self.store is None:
            return None
        # Imported here: without a limit nobody needs a database to talk to the API.
        from quantconnect_provider.store.rate_limit import rate_limit_key, shared_slots  # noqa: PLC0415

        key = rate_limit_key(self.account.base_url, self.account.user_id)
        return Throttle(rate, shared_slots(self.store, key))


def missing_connection(conn_id: str, connection_type: str = "quantconnect") -> InvalidSettingError:
    """Return the error for a connection that nobody has defined, or that Airflow cannot read."""
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    if variable in os.environ:
        return InvalidSettingError(
            f"{variable} is set, and Airflow cannot read a connection from it.",
            advice='Write it as JSON, every field as text: {"conn_type": "'
            + connection_type
            + '", "login": "123456", ...}.',
        )
    return InvalidSettingError(
        f"There is no connection {conn_id}.",
        advice=f"Add it under Admin > Connections with type {connection_type}, "
        f"or as the environment variable {variable}.",
    )


def access_from(conn: Connection) -> ApiAccess:
    """Read a connection of type `quantconnect`.

    It calls nothing of Airflow beyond the connection's plain attributes, so that triggers may use it
    off the event loop.

    :raises InvalidSettingError: naming the connection, the part that is wrong, and the fix.
    """
    extra = read_extra(conn)
    try:
        account = check_account(
            user_id=conn.login or "",
            api_token=conn.password or "",
            base_url=_base_url(conn),
            requests_per_minute=extra.get("requests_per_minute"),
            timeout_seconds=extra.get("timeout_seconds") or DEFAULT_TIMEOUT_SECONDS,
        )
    except InvalidSettingError as error:
        raise InvalidSettingError(
            f"Connection {conn.conn_id}: {error.args[0]}", advice=error.advice
        ) from None
    return ApiAccess(account, _organization_id(conn, extra))


def read_extra(conn: Connection) -> dict[str, Any]:
    """Return the connection's extra as a dictionary; blank counts as empty.

    :raises InvalidSettingError: when it is not a JSON object.
    """
    if not conn.extra:
        return {}
    try:
        extra = json.loads(conn.extra)
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise InvalidSettingError(
            f"Connection {conn.conn_id}: extra is not a JSON object.",
            advice='Write it as {"name": "value"}, or leave it empty.',
        )
    return extra


def _base_url(conn: Connection) -> str:
    """Return the API's address as the connection has it.

    Airflow takes a connection in URI form apart, also where the host is a whole URL: scheme and name end
    in host, the port in port, the path in schema. Only then port and schema count; the form hides the
    schema.
    """
    host = (conn.host or "").strip()
    if not host:
        return DEFAULT_BASE_URL
    parts = urlsplit(host)
    if parts.scheme in ("http", "https") and conn.schema and parts.path in ("", "/"):
        port = f":{conn.port}" if conn.port and ":" not in parts.netloc else ""
        return f"{parts.scheme}://{parts.netloc}{port}/{conn.schema.strip('/')}"
    return host


def _organization_id(conn: Connection, extra: dict[str, Any]) -> str | None:
    value = extra.get("organization_id")
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not _ORGANIZATION_ID.fullmatch(value.strip()):
        raise InvalidSettingError(
            f"Connection {conn.conn_id}: organization_id {value!r} is not an organization id.",
            advice="It is the 32 hexadecimal digits in the organization's URL; leave it empty otherwise.",
        )
    return value.strip()
