"""How the make targets run Airflow: generated secrets, who may log in, what reaches the processes."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from dev import demo, settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setattr(settings, "PASSWORDS", tmp_path / "passwords.json")
    monkeypatch.delenv(settings.ALL_ADMINS)  # the tests of the page have it switched off
    return tmp_path


def test_secrets_are_made_once(home: Path) -> None:
    assert settings.generated_secrets(home) == settings.generated_secrets(home)


def test_secrets_are_for_their_owner_only(home: Path) -> None:
    settings.generated_secrets(home)

    assert stat.S_IMODE((home / "secrets.json").stat().st_mode) == 0o600


def test_without_an_account_there_is_no_login(home: Path) -> None:
    environment, password = settings.login_environment(settings.login_required(account=False))

    assert (environment, password) == ({"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True"}, None)


def test_with_an_account_the_password_is_returned_once(home: Path) -> None:
    _, first = settings.login_environment(settings.login_required(account=True))
    _, second = settings.login_environment(settings.login_required(account=True))

    assert (first, second) == (settings.stored_password(), None)


def test_the_shell_can_ask_for_a_login_with_the_sandbox(home, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "False")

    assert settings.login_required(account=False)


def test_with_an_account_a_login_is_needed_whatever_the_shell_says(home, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")

    login, _ = settings.login_environment(settings.login_required(account=True))

    merged = {**settings.up_environment(), **login}
    assert merged["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"


def test_the_api_server_stays_on_loopback_whatever_the_shell_says(home, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__HOST", "0.0.0.0")

    assert settings.up_environment()["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_another_database_in_the_shell_is_not_touched(home, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production/airflow")

    environment = settings.up_environment()

    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{home}/airflow.db"


def test_a_chosen_port_is_the_one_that_tasks_report_to(home, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__PORT", "8999")

    environment = settings.up_environment()

    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8999/execution/"


def test_the_demo_cannot_reach_a_users_account_or_store(monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_DEFAULT", '{"login": "real", "password": "real"}')
    monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_STORE", "postgresql://production/store")
    monkeypatch.setattr(demo, "common_environment", lambda _home, inherited: dict(inherited))

    environment = demo.demo_environment('{"host": "http://127.0.0.1:1/api/v2"}')

    connections = {name for name in environment if name.startswith("AIRFLOW_CONN")}
    default = json.loads(environment["AIRFLOW_CONN_QUANTCONNECT_DEFAULT"])
    assert (connections, default["host"]) == (
        {"AIRFLOW_CONN_QUANTCONNECT_DEFAULT"},
        "http://127.0.0.1:1/api/v2",
    )
