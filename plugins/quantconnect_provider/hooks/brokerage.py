"""The hook for brokerage and data provider connections: secrets come out here, masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.hooks.connection import missing_connection, read_extra
from quantconnect_provider.live.brokerages.settings import (
    BrokerageSettings,
    brokerage_settings,
    data_provider_settings,
    paper_settings,
)

if TYPE_CHECKING:
    from airflow.sdk import Connection

QUANTCONNECT_DATA = "QuantConnectBrokerage"
"""Stands for QuantConnect's own data in a list of data providers; it needs no connection."""


class QuantConnectBrokerageHook(BaseHook):
    """Gives what a `quantconnect_brokerage` connection comes to.

    :param brokerage_conn_id: the connection: login is the brokerage id, password the secret settings as a
        JSON object, extra the other settings and ``allow_unattended``. None means QuantConnect paper
        trading.

    ``secrets`` are all that it gave out, longest lines of keys included.
    """

    conn_name_attr = "brokerage_conn_id"
    default_conn_name = "quantconnect_brokerage_default"
    conn_type = "quantconnect_brokerage"
    hook_name = "QuantConnect brokerage"

    def __init__(self, brokerage_conn_id: str | None = None) -> None:
        super().__init__()
        self.brokerage_conn_id = brokerage_conn_id
        self.secrets: list[str] = []

    def get_conn(self) -> BrokerageSettings:
        """Return the brokerage's settings; every secret of them is masked in logs from here on.

        :raises InvalidSettingError: naming the connection and the setting, never a secret.
        """
        if not self.brokerage_conn_id:
            return paper_settings()
        conn = self._connection(self.brokerage_conn_id)
        settings = brokerage_settings(
            conn.login, conn.password, read_extra(conn), conn_id=self.brokerage_conn_id
        )
        self._mask(settings.secrets)
        return settings

    def data_providers(self, conn_ids: Sequence[str] | None) -> dict[str, Any] | None:
        """Return the ``dataProviders`` object of live/create for connections in order of precedence.

        :param conn_ids: ids of connections of the same type; ``QuantConnectBrokerage`` among them means
            QuantConnect's own data. None or empty: QuantConnect's own data alone.
        :raises InvalidSettingError: naming the connection and the setting, never a secret.
        """
        if not conn_ids:
            return None
        found = data_provider_settings([self._data_provider(conn_id) for conn_id in conn_ids])
        self._mask(found.secrets)
        return found.settings

    def test_connection(self) -> tuple[bool, str]:
        """Check the connection's settings; nothing is sent, as only a deployment can try them."""
        try:
            settings = self.get_conn()
        except InvalidSettingError as error:
            return False, str(error)
        money = "paper trading" if settings.is_paper else "real money"
        return True, f"The settings for {settings.label} are complete ({money})"

    def _data_provider(self, conn_id: str) -> tuple[str | None, str | None, dict[str, Any] | None, str]:
        if conn_id == QUANTCONNECT_DATA:
            return QUANTCONNECT_DATA, None, None, ""
        conn = self._connection(conn_id)
        return conn.login, conn.password, read_extra(conn), conn_id

    def _connection(self, conn_id: str) -> Connection:
        try:
            return self.get_connection(conn_id)
        except AirflowNotFoundException:
            raise missing_connection(conn_id, self.conn_type) from None

    def _mask(self, secrets: Sequence[str]) -> None:
        self.secrets.extend(secrets)
        for secret in secrets:
            mask_secret(secret)
