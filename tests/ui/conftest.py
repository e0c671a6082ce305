"""Airflow's whole web application in this process, and a filled store."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from quantconnect_provider.store import Store
from tests.ui import browser as browsers
from tests.ui import seed, site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def airflow_app() -> Iterator[Any]:
    """Airflow's web application with login and the plugin, over an empty metadata database."""
    with site.application() as app:
        yield app


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

        headers = {} if role is None else {"Authorization": f"Bearer {site.token_of(role)}"}
        return TestClient(airflow_app, headers=headers, raise_server_exceptions=False)

    return client


@pytest.fixture
def viewer(client_as: Callable[[str | None], Any], store: Store) -> Any:
    """A client of role viewer, over a filled store."""
    return client_as("viewer")


@pytest.fixture(scope="session")
def address(airflow_app: Any) -> Iterator[str]:
    """The address of Airflow's web application on this machine."""
    with site.served(airflow_app) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; not for longer than a module, because Playwright's event loop keeps others from running."""
    with browsers.launched() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, address: str, airflow_app: Any) -> Iterator[Callable[..., Page]]:
    """Open a path of the web application in a tab, logged in as admin unless another role is named."""
    pages: list[Page] = []

    def open_(path: str, role: str | None = "admin", **options: Any) -> Page:
        token = None if role is None else site.token_of(role)
        page = browsers.new_page(browser, address, token, **options)
        pages.append(page)
        page.goto(address + path)
        return page

    yield open_
    for page in pages:
        page.context.close()
