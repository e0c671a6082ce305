"""What a `quantconnect` connection says, checked, before anything is sent."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from quantconnect_provider.client import DEFAULT_BASE_URL, QuantConnectClient, RetrySettings
from quantconnect_provider.client.errors import InvalidSettingError

if TYPE_CHECKING:
    from airflow.sdk import Connection


_ORGANIZATION_ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


@dataclass(frozen=True)
class ApiAccess:
    """Everything that a client is made of; the token stays out of its printed form."""

    user_id: str
    api_token: str = field(repr=False)
    base_url: str
    organization_id: str | None
    requests_per_minute: float | None
    timeout_seconds: float

    def client(self, retry: RetrySettings | None = None) -> QuantConnectClient:
        """Return a client; the caller closes it. ``retry`` replaces the client's own patience."""
        return QuantConnectClient(
            user_id=self.user_id,
            api_token=self.api_token,
            base_url=self.base_url,
            requests_per_minute=self.requests_per_minute,
            timeout_seconds=self.timeout_seconds,
            organization_id=self.organization_id,
            retry=retry or RetrySettings(),
        )


def access_from(conn: Connection) -> ApiAccess:
    """Read a connection of type `quantconnect`.

    It calls nothing of Airflow beyond the connection's plain attributes, so that triggers may use it
    off the event loop.

    :raises InvalidSettingError: naming the connection, the part that is wrong, and the fix.
    """
    extra = read_extra(conn)
    return ApiAccess(
        user_id=_user_id(conn),
        api_token=_api_token(conn),
        base_url=_base_url(conn),
        organization_id=_organization_id(conn, extra),
        requests_per_minute=_positive_number(conn, extra, "requests_per_minute"),
        timeout_seconds=_positive_number(conn, extra, "timeout_seconds") or 30.0,
    )


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
        raise _wrong(conn, "extra is not a JSON object", 'Write it as {"name": "value"}, or leave it empty.')
    return extra


def _wrong(conn: Connection, what: str, advice: str) -> InvalidSettingError:
    return InvalidSettingError(f"Connection {conn.conn_id}: {what}.", advice=advice)


def _user_id(conn: Connection) -> str:
    login = str(conn.login or "")
    if not login:
        raise _wrong(conn, "login is empty", "Put the user id of your QuantConnect account there.")
    if login != login.strip():
        raise _wrong(conn, "login (user id) has stray spaces", "Remove the spaces around it.")
    if not login.isdecimal():
        advice = "It is the number shown on quantconnect.com/account, not the e-mail address."
        raise _wrong(conn, "login (user id) is not a whole number", advice)
    return login


def _api_token(conn: Connection) -> str:
    token = str(conn.password or "")
    if not token:
        raise _wrong(
            conn, "password is empty", "Put the API token there that quantconnect.com/account sends."
        )
    if any(character.isspace() for character in token):
        raise _wrong(conn, "password (API token) has stray spaces", "Remove the spaces and line breaks.")
    return token


def _base_url(conn: Connection) -> str:
    """Return the API's address.

    Airflow takes a connection in URI form apart, also where the host is a whole URL: scheme and name end
    in host, the port in port, the path in schema. Only then port and schema count; the form hides the
    schema.
    """
    host = (conn.host or "").strip()
    if not host:
        return DEFAULT_BASE_URL
    if "://" not in host:
        advice = (
            f"Write it with scheme and path, for example {DEFAULT_BASE_URL} (or leave it empty for that)."
        )
        raise _wrong(conn, f"host {host!r} has no scheme", advice)
    parts = urlsplit(host)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _wrong(conn, f"host {host!r} is not an http(s) address", f"Write it like {DEFAULT_BASE_URL}.")
    if parts.username is not None or parts.password is not None:
        raise _wrong(conn, "host contains a user name or password", "Put them into login and password.")
    if conn.schema and parts.path in ("", "/"):
        port = f":{conn.port}" if conn.port and ":" not in parts.netloc else ""
        return f"{parts.scheme}://{parts.netloc}{port}/{conn.schema.strip('/')}"
    return host.rstrip("/")


def _organization_id(conn: Connection, extra: dict[str, Any]) -> str | None:
    value = extra.get("organization_id")
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not _ORGANIZATION_ID.fullmatch(value.strip()):
        advice = (
            "It is the 32 hexadecimal digits in the organization's URL; leave it empty if you have one only."
        )
        raise _wrong(conn, f"organization_id {value!r} is not an organization id", advice)
    return value.strip()


def _positive_number(conn: Connection, extra: dict[str, Any], name: str) -> float | None:
    value = extra.get(name)
    if value in (None, ""):
        return None
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 < number < float("inf"):
        raise _wrong(
            conn, f"{name} is {value!r}", "It must be a number above 0; leave it empty for the default."
        )
    return number
