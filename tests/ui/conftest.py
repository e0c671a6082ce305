"""Airflow's whole web application in this process, and a filled store."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from quantconnect_provider.store import Store
from tests.ui import browser as browsers
from tests.ui import seed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


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


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled store to copy: making the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("seeded") / "store.db"
    with Store.open(f"sqlite:///{path}") as opened:
        seed.fill(opened)
    return path


@pytest.fixture
def store(store_path: Path, seeded: Path) -> Iterator[Store]:
    """A filled store."""
    shutil.copy(seeded, store_path)
    with Store.open(f"sqlite:///{store_path}") as opened:
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


@pytest.fixture(scope="session")
def site(airflow_app: Any) -> Iterator[str]:
    """The address of Airflow's web application on this machine."""
    import uvicorn

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(airflow_app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with browsers.launched() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, site: str, airflow_app: Any) -> Iterator[Callable[..., Page]]:
    """Open a path of the web application in a tab of an admin; ends with a check that nothing complained."""
    pages: list[Page] = []

    def open_(path: str, role: str | None = "admin", **options: Any) -> Page:
        token = None if role is None else token_of(airflow_app, role)
        page = browsers.new_page(browser, site, token, **options)
        pages.append(page)
        page.goto(site + path)
        return page

    yield open_
    for page in pages:
        page.context.close()
