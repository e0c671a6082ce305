"""Reads a `quantconnect` connection into a checked account, and makes clients of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from quantconnect_provider import client as api
from quantconnect_provider import store
from quantconnect_provider.client.account import DEFAULT_BASE_URL, DEFAULT_TIMEOUT_SECONDS, Account
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.log_exports import LocalLogExports, LogExportSlots

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from sqlalchemy.engine import URL


@dataclass(frozen=True)
class ApiAccess:
    """An account, and where its rate limit is shared.

    :param store_url: database in which all workers share ``requests_per_minute``; None: each worker keeps
        to it by itself.
    :param find_store: finds the database in which all workers count exports of logs, before the first one;
        None: each client counts its own.
    """

    account: Account
    store_url: URL | None = field(default=None, repr=False)
    find_store: Callable[[], URL | None] | None = field(default=None, repr=False)

    def client(self, retry: api.RetrySettings | None = None) -> api.QuantConnectClient:
        """Return a client; close it when done. ``retry`` replaces the client's own settings."""
        return api.QuantConnectClient.for_account(
            self.account, retry=retry, throttle=self._throttle(), log_exports=self._log_exports
        )

    def _throttle(self) -> api.Throttle | None:
        rate = self.account.requests_per_minute
        if rate is None or self.store_url is None:
            return None
        return api.Throttle(rate, store.shared_slots(self.store_url, self._key()))

    def _log_exports(self) -> LogExportSlots:
        address = self.find_store() if self.find_store else None
        return LocalLogExports() if address is None else store.SharedLogExports(address, self._key())

    def _key(self) -> str:
        return store.rate_limit_key(self.account.base_url, self.account.user_id)


def missing_connection(conn_id: str, connection_type: str = "quantconnect") -> InvalidSettingError:
    """Return the error for a connection that is not defined, or that Airflow cannot read."""
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

    It uses only the connection's plain attributes, so that triggers may call it outside the event loop.

    :raises InvalidSettingError: naming the connection, the part that is wrong, and the fix.
    """
    extra = read_extra(conn)
    try:
        account = Account(
            user_id=conn.login or "",
            api_token=conn.password or "",
            base_url=_base_url(conn),
            requests_per_minute=extra.get("requests_per_minute"),
            timeout_seconds=extra.get("timeout_seconds") or DEFAULT_TIMEOUT_SECONDS,
            organization_id=extra.get("organization_id"),
        )
    except InvalidSettingError as error:
        raise InvalidSettingError(
            f"Connection {conn.conn_id}: {error.args[0]}", advice=error.advice
        ) from None
    return ApiAccess(account)


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

    Airflow splits a connection in URI form, also where the host is a whole URL: scheme and name go to
    host, the port to port, the path to schema. Only then port and schema count; the form hides the schema.
    """
    host = (conn.host or "").strip()
    if not host:
        return DEFAULT_BASE_URL
    parts = urlsplit(host)
    if parts.scheme in ("http", "https") and conn.schema and parts.path in ("", "/"):
        port = f":{conn.port}" if conn.port and ":" not in parts.netloc else ""
        return f"{parts.scheme}://{parts.netloc}{port}/{conn.schema.strip('/')}"
    return host
