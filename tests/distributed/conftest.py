from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.distributed.servers import running_postgres

POSTGRES = "QUANTCONNECT_TEST_POSTGRES"
"""Address of a database for tests; else a server is started, where its programs are installed."""


def has_postgres() -> bool:
    installed = shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return bool(os.environ.get(POSTGRES) or installed)


collect_ignore = [] if has_postgres() else ["test_partitions.py"]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if os.environ.get(POSTGRES):
        yield os.environ[POSTGRES]
        return
    with running_postgres("fsync=off") as server:
        server.create_database("store")
        yield server.url("store")
