"""The hook for brokerage connections: which connections it takes, and what the Test button says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.hooks.brokerage import QuantConnectBrokerageHook
from tests.airflow.conftest import IB_CONNECTION

POSTGRES = {
    "conn_type": "postgres",
    "login": "Polygon",
    "password": json.dumps({"polygon-api-key": "canary"}),
}

Define = Callable[..., None]


def test_a_connection_of_another_type_is_refused_by_name(connection: Define) -> None:
    connection("warehouse", POSTGRES)

    with pytest.raises(
        InvalidSettingError, match=r"warehouse is of type postgres, not quantconnect_brokerage"
    ):
        QuantConnectBrokerageHook("warehouse").get_conn()


def test_a_data_provider_connection_of_another_type_is_refused_by_name(connection: Define) -> None:
    connection("warehouse", POSTGRES)

    with pytest.raises(InvalidSettingError, match=r"warehouse is of type postgres"):
        QuantConnectBrokerageHook().data_providers(["QuantConnectBrokerage", "warehouse"])


def test_the_test_button_says_what_is_missing(connection: Define) -> None:
    connection("ib", {**IB_CONNECTION, "extra": {"ib-account": "U1234567"}})

    passed, message = QuantConnectBrokerageHook("ib").test_connection()

    assert not passed
    assert "missing ib-weekly-restart-utc-time" in message


def test_the_test_button_names_brokerage_account_and_money(connection: Define) -> None:
    connection("ib", IB_CONNECTION)

    passed, message = QuantConnectBrokerageHook("ib").test_connection()

    assert passed
    for words in ("Interactive Brokers", "***567", "real money"):
        assert words in message
    assert "U1234567" not in message


def test_the_test_button_does_not_call_unknown_settings_complete(connection: Define) -> None:
    connection("new", {"conn_type": "quantconnect_brokerage", "login": "NewBrokerage"})

    _, message = QuantConnectBrokerageHook("new").test_connection()

    assert "not checked" in message


def test_the_test_button_refuses_another_connection_type(connection: Define) -> None:
    fields: dict[str, Any] = POSTGRES
    connection("warehouse", fields)

    passed, message = QuantConnectBrokerageHook("warehouse").test_connection()

    assert not passed
    assert "warehouse" in message
    assert "canary" not in message
