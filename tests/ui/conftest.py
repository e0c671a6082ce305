"""Airflow's whole web application in this process, and a filled store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quantconnect_provider.store import Store
from tests.ui import seed


@pytest.fixture(scope="session")
def airflow_app() -> Iterator[Any]:
    """Airflow's web application with login and the plugin, over an empty metadata database."""
    from airflow.api_fastapi.app import create_app
    from airflow.utils.db import initdb

    initdb()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "False")
        patch.setenv(
            "AIRFLOW__API_AUTH__JWT_SECRET", "a secret of these tests, as long as SHA-512 wants it " * 2
        )
        yield create_app(apps="core")


@pytest.fixture
def store_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the store is expected; nothing is there yet."""
    from quantconnect_provider.ui.store_access import access

    path = tmp_path / "store.db"
    monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_STORE", f"sqlite:///{path}")
    access.reset()
    yield path
    access.reset()


@pytest.fixture
def store(store_path: Path) -> Iterator[Store]:
    """A filled store."""
    with Store.open(f"sqlite:///{store_path}") as opened:
        seed.fill(opened)
        yield opened


@pytest.fixture
def client_as(airflow_app: Any) -> Callable[[str | None], Any]:
    """Return a client of a user with a role, or of someone who has not logged in."""

    def client(role: str | None) -> Any:
        from starlette.testclient import TestClient

        headers = {} if role is None else {"Authorization": f"Bearer {token_of(airflow_app, role)}"}
        return TestClient(airflow_app, headers=headers, raise_server_exceptions=False)

    return client


@pytest.fixture
def viewer(client_as: Callable[[str | None], Any], store: Store) -> Any:
    """A client of role viewer, over a filled store."""
    return client_as("viewer")


def token_of(app: Any, role: str) -> str:
    """Log a user of that role in."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return str(get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role, role=role)))
