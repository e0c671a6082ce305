"""The hook for QuantConnect's API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from quantconnect_provider import client as api
from quantconnect_provider.client.errors import (
    ClockSkewError,
    CredentialsError,
    InvalidSettingError,
    QuantConnectError,
    UnreachableError,
    UnreadableAnswerError,
)
from quantconnect_provider.hooks.connection import ApiAccess, access_from, missing_connection
from quantconnect_provider.hooks.store import QuantConnectStoreHook

if TYPE_CHECKING:
    from airflow.sdk import Connection

# The first class that fits names the part of the connection to check.
_PART_AT_FAULT: tuple[tuple[type[QuantConnectError], str], ...] = (
    (InvalidSettingError, ""),
    (ClockSkewError, "clock: "),
    (CredentialsError, "login or password: "),
    (UnreachableError, "host: "),
    (UnreadableAnswerError, "host: "),
)


class QuantConnectHook(BaseHook):
    """Gives a client for QuantConnect's REST API v2.

    :param quantconnect_conn_id: id of a connection of type `quantconnect`: host is the API's base URL
        (default ``https://www.quantconnect.com/api/v2``), login the user id, password the API token,
        extra ``organization_id``, ``requests_per_minute`` and ``timeout_seconds``.
    """

    conn_name_attr = "quantconnect_conn_id"
    default_conn_name = "quantconnect_default"
    conn_type = "quantconnect"
    hook_name = "QuantConnect"

    def __init__(self, quantconnect_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.quantconnect_conn_id = quantconnect_conn_id

    def get_conn(self) -> api.QuantConnectClient:
        """Return a client for the connection; use it as a context manager, or close it.

        :raises InvalidSettingError: when the connection does not exist or cannot be right.
        """
        store = QuantConnectStoreHook()
        access = replace(self.access(), find_store=store.find)
        if access.account.requests_per_minute is not None:
            access = replace(access, store_url=store.find())
        return access.client()

    def access(self) -> ApiAccess:
        """Return what the connection says, checked.

        :raises InvalidSettingError: when the connection does not exist or cannot be right.
        """
        return access_from(self._connection())

    async def aaccess(self) -> ApiAccess:
        """Like :meth:`access`, for triggers: the event loop is free while Airflow looks the connection up."""
        try:
            conn = await self.aget_connection(self.quantconnect_conn_id)
        except AirflowNotFoundException:
            raise missing_connection(self.quantconnect_conn_id) from None
        access = access_from(conn)
        if access.account.requests_per_minute is not None:
            access = replace(access, store_url=await QuantConnectStoreHook().afind())
        return access

    def test_connection(self) -> tuple[bool, str]:
        """Sign in with the connection (authenticate); a failure names the part of it that is wrong.

        Airflow runs this in its API server with the connection in an environment variable: it must not
        use Airflow's database, nor wait long.
        """
        try:
            access = self.access()
            with access.client(api.RetrySettings(attempts=1)) as client:
                client.authenticate()
        except QuantConnectError as error:
            part = next((name for kind, name in _PART_AT_FAULT if isinstance(error, kind)), "API: ")
            return False, f"{part}{error}"
        return True, f"Authenticated as user {access.account.user_id} at {access.account.base_url}"

    def _connection(self) -> Connection:
        try:
            return self.get_connection(self.quantconnect_conn_id)
        except AirflowNotFoundException:
            raise missing_connection(self.quantconnect_conn_id) from None
