"""The hook for brokerage and data provider connections: secrets come out here, masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.live_request import PAPER_ID
from quantconnect_provider.hooks.connection import missing_connection, read_extra
from quantconnect_provider.live.brokerages.settings import (
    BrokerageSettings,
    brokerage_settings,
    data_provider_settings,
    paper_settings,
)
from quantconnect_provider.live.brokerages.table import BROKERAGES

if TYPE_CHECKING:
    from airflow.sdk import Connection


class QuantConnectBrokerageHook(BaseHook):
    """Gives the settings of a `quantconnect_brokerage` connection, checked.

    :param brokerage_conn_id: the connection: login is the brokerage id, password the secret settings as a
        JSON object, extra the other settings and ``allow_unattended``. None means QuantConnect paper
        trading.

    ``secrets`` are all secret values that it returned, each line of a key of several lines included.
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
        """Check that the connection has every key that its brokerage needs, and say what is missing.

        Nothing is sent: only a deployment can try the settings at the brokerage.
        """
        try:
            settings = self.get_conn()
        except InvalidSettingError as error:
            return False, str(error)
        if settings.id not in BROKERAGES:
            return True, (
                f"This version does not know {settings.id}: its settings are not checked, and it counts as "
                "real money"
            )
        account = f", account {settings.account}" if settings.account else ""
        money = "paper trading" if settings.is_paper else "real money"
        return True, f"All settings of {settings.label} are there{account} ({money}); nothing was sent"

    def _data_provider(self, conn_id: str) -> tuple[str | None, str | None, dict[str, Any] | None, str]:
        if conn_id == PAPER_ID:
            return PAPER_ID, None, None, ""
        conn = self._connection(conn_id)
        return conn.login, conn.password, read_extra(conn), conn_id

    def _connection(self, conn_id: str) -> Connection:
        try:
            conn = self.get_connection(conn_id)
        except AirflowNotFoundException:
            raise missing_connection(conn_id, self.conn_type) from None
        if conn.conn_type != self.conn_type:
            # Everything in a connection of another type would go to QuantConnect as a brokerage setting.
            raise InvalidSettingError(
                f"Connection {conn_id} is of type {conn.conn_type or 'none'}, not {self.conn_type}.",
                advice=f"Name a connection of type {self.conn_type}, or leave the field empty.",
            )
        return conn

    def _mask(self, secrets: Sequence[str]) -> None:
        self.secrets.extend(secrets)
        for secret in secrets:
            mask_secret(secret)
