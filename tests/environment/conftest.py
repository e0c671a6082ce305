from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from quantconnect_provider.sandbox import SandboxProcess
from tests.environment.nights import SCENARIO
from tests.harvest.fake_api import FakeApi
from tests.store import postgres
from tests.store.fixtures import (  # noqa: F401 - fixtures
    new_database,
    postgres_server,
    postgres_template,
    sqlite_template,
)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:  # noqa: F811 - the fixture
    """The address of a SQLite file with empty tables."""
    shutil.copy(sqlite_template, tmp_path / "store.db")
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:  # noqa: F811 - the fixtures
    """The address of a PostgreSQL database with empty tables."""
    with new_database(make_url(postgres_server), postgres_template) as address:
        yield address


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(SCENARIO) as sandbox:
        yield sandbox


@pytest.fixture
def own_postgres() -> Iterator[postgres.OwnServer]:
    """A PostgreSQL server that a test may stop and start."""
    with postgres.OwnServer() as server:
        yield server
