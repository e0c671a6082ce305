"""A store that refuses writes: an error that says so, and nothing lost once it takes them again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.harvest import Store
from quantconnect_provider.sandbox import SandboxProcess
from quantconnect_provider.store.store_errors import StoreError
from tests.environment.nights import assert_whole, night
from tests.environment.processes import python
from tests.environment.small_disk import small_disk

OPEN_AND_WRITE = """
import sys
from datetime import datetime, timezone
from quantconnect_provider.client.models import LiveSummary
from quantconnect_provider.store import Store
from quantconnect_provider.store.store_errors import StoreError

try:
    with Store.open(sys.argv[1]) as store:
        store.save_deployments([LiveSummary(project_id=1, deploy_id="L-1")], datetime.now(timezone.utc))
except StoreError as error:
    print(error.retryable, error)
"""


def set_read_only(address: str, refuse: bool) -> None:
    database = make_url(address)
    engine = create_engine(
        database.set(drivername="postgresql+psycopg", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        value = "on" if refuse else "off"
        connection.execute(
            text(f"ALTER DATABASE {database.database} SET default_transaction_read_only = {value}")
        )
    engine.dispose()


def test_a_server_that_refuses_writes(sandbox: SandboxProcess, postgres_url: str) -> None:
    set_read_only(postgres_url, True)
    with (
        Store.open(postgres_url) as store,
        pytest.raises(StoreError, match="end its default_transaction_read_only"),
    ):
        night(sandbox, store)
    set_read_only(postgres_url, False)
    with Store.open(postgres_url) as store:
        night(sandbox, store).raise_if_failed()
        assert_whole(sandbox, store)


@pytest.mark.parametrize("locked", ["file", "folder"])
def test_a_file_without_permission_to_write(tmp_path: Path, locked: str) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    Store.open(f"sqlite:///{folder}/store.db").close()
    if locked == "file":
        (folder / "store.db").chmod(0o444)
    folder.chmod(0o555)
    done = python("-c", OPEN_AND_WRITE, f"sqlite:///{folder}/store.db", obeys_modes=True)
    folder.chmod(0o755)
    assert done.stdout.startswith("False "), done.stderr
    assert str(folder) in done.stdout
    assert "Let the user that runs the task read and write the store" in done.stdout


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    done = python("-c", OPEN_AND_WRITE, f"sqlite:///{tmp_path}/new/store.db", obeys_modes=True)
    tmp_path.chmod(0o755)
    assert f"folder {tmp_path}/new cannot be made" in done.stdout, done.stderr


@pytest.mark.environment
def test_a_disk_mounted_read_only(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16) as disk:
        url = f"sqlite:///{disk.folder}/store.db"
        Store.open(url).close()
        disk.refuse_writes(True)
        with pytest.raises(QuantConnectError, match=f"{disk.folder}.*write"), Store.open(url) as store:
            night(sandbox, store)
        disk.refuse_writes(False)
        with Store.open(url) as store:
            night(sandbox, store).raise_if_failed()
            assert_whole(sandbox, store)
