from __future__ import annotations

from tests.store.fixtures import (  # noqa: F401 - fixtures
    postgres_server,
    postgres_template,
    sqlite_template,
    store,
    store_url,
)
