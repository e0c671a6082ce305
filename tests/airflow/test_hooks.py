"""Connections in, clients and settings out; every wrong part is named."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from airflow.sdk import Connection
from sqlalchemy.engine import make_url

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.hooks.brokerage import QuantConnectBrokerageHook
from quantconnect_provider.hooks.quantconnect import QuantConnectHook
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from tests.airflow.conftest import IB_CONNECTION

Define = Callable[..., None]
GOOD = {"conn_type": "quantconnect", "login": "1", "password": "token-1"}
DEFAULT = "https://www.quantconnect.com/api/v2"


@pytest.mark.parametrize(
    ("written", "base_url"),
    [
        (GOOD, DEFAULT),
        ({**GOOD, "port": 443}, DEFAULT),
        (
            {**GOOD, "host": "http://127.0.0.1:5612/api/v2/", "port": 443},
            "http://127.0.0.1:5612/api/v2",
        ),
        ("quantconnect://1:token-1@", DEFAULT),
        (f"quantconnect://1:token-1@{quote('http://127.0.0.1:5612/api/v2', safe='')}", "http://127.0.0.1:5612/api/v2"),
        ("quantconnect://http://1:token-1@127.0.0.1:5612/api/v2", "http://127.0.0.1:5612/api/v2"),
        ("quantconnect://https://1:token-1@www.quantconnect.com/api/v2", DEFAULT),
    ],
)  # fmt: skip
def test_address_in_every_form(connection: Define, written: Any, base_url: str) -> None:
    connection("quantconnect_default", written)
    with QuantConnectHook().get_conn() as client:
        assert client.base_url == base_url


def test_extra_reaches_the_client(connection: Define, quantconnect_sandbox: Any) -> None:
    extra = {"organization_id": "a" * 32, "timeout_seconds": 5, "requests_per_minute": None}
    connection("quantconnect_default", quantconnect_sandbox.airflow_connection(**extra))
    access = QuantConnectHook().access()
    assert access.account.organization_id == "a" * 32
    assert access.account.timeout_seconds == 5


def test_extra_in_a_uri_is_text_and_taken(connection: Define) -> None:
    connection("quantconnect_default", "quantconnect://1:token-1@/?timeout_seconds=7&requests_per_minute=60")
    account = QuantConnectHook().access().account
    assert (account.timeout_seconds, account.requests_per_minute) == (7.0, 60.0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"login": ""}, "login"),
        ({"login": "me@example.com"}, "login"),
        ({"login": " 1"}, "login"),
        ({"password": ""}, "password"),
        ({"password": "token-1 "}, "password"),
        ({"host": "www.quantconnect.com/api/v2"}, "host"),
        ({"extra": "[1]"}, "extra"),
        ({"extra": {"timeout_seconds": "soon"}}, "timeout_seconds"),
        ({"extra": {"requests_per_minute": 0}}, "requests_per_minute"),
        ({"extra": {"organization_id": "mine"}}, "organization_id"),
    ],
)
def test_wrong_part_is_named(connection: Define, changes: dict[str, Any], says: str) -> None:
    connection("quantconnect_default", {**GOOD, **changes})
    with pytest.raises(InvalidSettingError, match="quantconnect_default") as caught:
        QuantConnectHook().get_conn()
    assert says in str(caught.value)
    assert "token-1" not in str(caught.value)


@pytest.mark.parametrize("hook", ["brokerage", "quantconnect", "store"])
def test_importing_a_hook_does_not_load_the_http_library(hook: str) -> None:
    code = f"import sys, quantconnect_provider.hooks.{hook}; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_connection_is_named_with_what_to_do() -> None:
    with pytest.raises(InvalidSettingError, match="AIRFLOW_CONN_NOWHERE"):
        QuantConnectHook("nowhere").get_conn()


def test_connection_test_says_who_one_is(quantconnect_sandbox: Any) -> None:
    good, message = QuantConnectHook().test_connection()
    assert good
    assert quantconnect_sandbox.base_url in message


@pytest.mark.parametrize("written", [{**GOOD, "login": 1}, "{not JSON"])
def test_connection_that_airflow_cannot_read_is_told_from_a_missing_one(
    connection: Define, written: Any
) -> None:
    connection("quantconnect_default", written)
    with pytest.raises(InvalidSettingError, match="AIRFLOW_CONN_QUANTCONNECT_DEFAULT is set"):
        QuantConnectHook().get_conn()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"password": "wrong-token"}, "login or password: "),
        ({"host": "http://127.0.0.1:9/api/v2"}, "host: "),
        ({"host": "nowhere"}, "Connection quantconnect_default: "),
    ],
)
def test_connection_test_says_which_part_is_wrong(
    quantconnect_sandbox: Any, connection: Define, changes: dict[str, Any], part: str
) -> None:
    fields = json.loads(quantconnect_sandbox.airflow_connection())
    connection("quantconnect_default", {**fields, **changes})
    good, message = QuantConnectHook().test_connection()
    assert not good
    assert message.startswith(part)


def test_connection_test_says_that_the_clock_is_wrong(quantconnect_sandbox: Any) -> None:
    quantconnect_sandbox.set_api(clock_skew_seconds=3 * 3600.0, auth_window_seconds=-1.0)
    good, message = QuantConnectHook().test_connection()
    assert not good
    assert message.startswith("clock: ")


def test_connection_test_over_a_proxy_page(quantconnect_sandbox: Any) -> None:
    quantconnect_sandbox.add_fault("authenticate", times=None, status=200, body="html")
    good, message = QuantConnectHook().test_connection()
    assert not good
    assert message.startswith("host: ")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("sqlite:////abs/store.db", "sqlite:////abs/store.db"),
        ({"conn_type": "sqlite", "host": "/abs/store.db"}, "sqlite:////abs/store.db"),
        ("postgresql://u:p%40ss@db:5433/quant", "postgresql://u:p%40ss@db:5433/quant"),
        ("postgres://u:pass@db/quant?sslmode=require", "postgresql://u:pass@db/quant?sslmode=require"),
        (
            {"conn_type": "postgres", "host": "db", "login": "u", "password": "pass", "schema": "quant",
             "extra": {"cursor": "dictcursor"}},
            "postgresql://u:pass@db/quant",
        ),
    ],
)  # fmt: skip
def test_store_address(connection: Define, written: Any, url: str) -> None:
    connection("quantconnect_store", written)
    address = QuantConnectStoreHook().get_conn()
    assert address.render_as_string(hide_password=False) == url
    assert "pass" not in str(address).replace("password", "")


def test_store_is_a_file_in_airflow_home_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    assert QuantConnectStoreHook().get_conn().database == str(tmp_path / "quantconnect.db")


def test_relative_sqlite_path_is_refused(connection: Define) -> None:
    connection("quantconnect_store", "sqlite:///store.db")
    with pytest.raises(InvalidSettingError, match="absolute"):
        QuantConnectStoreHook().get_conn()


@pytest.mark.parametrize(
    ("conn_type", "says"),
    [("http", "gives no SQLAlchemy address"), ("no_such_type", r"gives no SQLAlchemy address \(")],
)
def test_a_type_that_is_no_database_is_no_store(connection: Define, conn_type: str, says: str) -> None:
    connection("quantconnect_store", {"conn_type": conn_type, "host": "db"})
    with pytest.raises(InvalidSettingError, match=says):
        QuantConnectStoreHook().get_conn()


def test_another_database_has_the_address_that_its_hook_gives(
    connection: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url("mysql://u:p@db/quant")
    monkeypatch.setattr(Connection, "get_hook", lambda conn: SimpleNamespace(sqlalchemy_url=url))
    connection("quantconnect_store", {"conn_type": "mysql", "host": "db"})
    assert QuantConnectStoreHook().get_conn() == url


@pytest.mark.parametrize("find", [QuantConnectStoreHook.find, lambda hook: asyncio.run(hook.afind())])
def test_an_address_that_cannot_be_right_is_warned_of_where_one_can_do_without(
    connection: Define, capfd: pytest.CaptureFixture[str], find: Callable[[QuantConnectStoreHook], Any]
) -> None:
    connection("quantconnect_store", "sqlite:///store.db")
    assert find(QuantConnectStoreHook()) is None
    assert "Without the store each worker keeps to the limits" in capfd.readouterr().out


def test_a_trigger_finds_the_store_in_airflow_home_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    url = asyncio.run(QuantConnectStoreHook().afind())
    assert url is not None
    assert url.database == str(tmp_path / "quantconnect.db")


def test_no_brokerage_connection_is_paper() -> None:
    assert QuantConnectBrokerageHook(None).get_conn().is_paper


def test_brokerage_from_json_and_from_uri_is_the_same(connection: Define) -> None:
    connection("ib", IB_CONNECTION)
    from_json = QuantConnectBrokerageHook("ib").get_conn().settings
    extra = "&".join(f"{key}={quote(value, safe='')}" for key, value in IB_CONNECTION["extra"].items())  # type: ignore[attr-defined]
    password = quote(IB_CONNECTION["password"], safe="")  # type: ignore[arg-type]
    connection("ib", f"quantconnect-brokerage://{IB_CONNECTION['login']}:{password}@/?{extra}")
    assert QuantConnectBrokerageHook("ib").get_conn().settings == from_json


def test_password_that_is_not_json_is_named_and_not_shown(connection: Define) -> None:
    connection("ib", {**IB_CONNECTION, "password": "plain-canary"})
    good, message = QuantConnectBrokerageHook("ib").test_connection()
    assert not good
    assert "ib" in message
    assert "JSON object" in message
    assert "plain-canary" not in message


def test_data_providers_keep_their_order(connection: Define) -> None:
    connection("ib", IB_CONNECTION)
    providers = QuantConnectBrokerageHook().data_providers(["ib", "QuantConnectBrokerage"])
    assert providers is not None
    assert list(providers) == ["InteractiveBrokersBrokerage", "QuantConnectBrokerage"]
