from __future__ import annotations

import pytest

from tests.harvest.fake_api import FakeApi
from tests.store.fixtures import (  # noqa: F401 - fixtures
    empty_database,
    postgres_server,
    postgres_template,
    sqlite_template,
    store,
    store_url,
)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()
