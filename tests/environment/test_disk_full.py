"""The store's disk fills up: a harvest ends with an error that says so, and goes on once there is room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, make_url, text

from quantconnect_provider.harvest import HarvestFailedError, Store
from quantconnect_provider.sandbox import SandboxProcess
from quantconnect_provider.store.store_errors import StoreError
from tests.environment.nights import assert_nothing_half_stored, assert_whole, night
from tests.environment.small_disk import SmallDisk, small_disk
from tests.store.postgres import OwnServer

ADVICE = "Make room on the disk of the store's database"
on_a_small_disk = pytest.mark.environment


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 16) as disk:
        yield disk


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with Store.open(sqlite_url) as store:
        yield store


def test_a_full_sqlite_file_is_harvested_into_again_once_it_may_grow(
    sandbox: SandboxProcess, store: Store
) -> None:
    with store.read() as connection:
        pages = int(connection.execute(text("PRAGMA page_count")).scalar_one())
    event.listen(
        store.engine, "begin", limit := lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages + 90}")
    )

    with pytest.raises(HarvestFailedError, match=ADVICE) as caught:
        night(sandbox, store).raise_if_failed()

    assert store.address in str(caught.value)
    assert_nothing_half_stored(sandbox, store)
    event.remove(store.engine, "begin", limit)
    store.engine.dispose()
    night(sandbox, store).raise_if_failed()
    assert_whole(sandbox, store)


@on_a_small_disk
@pytest.mark.parametrize("kilobytes", [0, 40, 200, 600])
def test_sqlite_on_a_full_disk(sandbox: SandboxProcess, disk: SmallDisk, kilobytes: int) -> None:
    with Store.open(f"sqlite:///{disk.folder}/store.db") as store:
        disk.fill(leave_bytes=kilobytes * 1024)
        fails_and_recovers(sandbox, store, disk)


@on_a_small_disk
def test_no_sqlite_file_can_be_made_on_a_full_disk(sandbox: SandboxProcess, disk: SmallDisk) -> None:
    disk.fill()
    with pytest.raises(StoreError, match=ADVICE):
        Store.open(f"sqlite:///{disk.folder}/store.db").close()
    disk.make_room()
    with Store.open(f"sqlite:///{disk.folder}/store.db") as store:
        night(sandbox, store).raise_if_failed()
        assert_whole(sandbox, store)


@on_a_small_disk
@pytest.mark.parametrize("kilobytes", [0, 200, 600])
def test_postgresql_on_a_full_disk(
    sandbox: SandboxProcess, own_postgres: OwnServer, tmp_path: Path, kilobytes: int
) -> None:
    # Beside the server's own folder: its user cannot enter pytest's.
    with small_disk(own_postgres.folder / "disk", 48) as disk:
        own_postgres.give(disk.folder)
        admin = create_engine(
            make_url(own_postgres.address).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        with closing(admin.raw_connection()) as _, admin.connect() as connection:
            connection.execute(text(f"CREATE TABLESPACE small LOCATION '{disk.folder}'"))
            connection.execute(text("CREATE DATABASE full_soon TABLESPACE small"))
        address = make_url(own_postgres.address).set(database="full_soon")
        with Store.open(address) as store:
            disk.fill(leave_bytes=kilobytes * 1024)
            fails_and_recovers(sandbox, store, disk)
        admin.dispose()
        own_postgres.stop()
        own_postgres.start()


def fails_and_recovers(sandbox: SandboxProcess, store: Store, disk: SmallDisk) -> None:
    with pytest.raises((HarvestFailedError, StoreError), match=ADVICE) as caught:
        night(sandbox, store).raise_if_failed()
    assert store.address in str(caught.value)
    disk.make_room()
    assert_nothing_half_stored(sandbox, store)
    night(sandbox, store).raise_if_failed()
    assert_whole(sandbox, store)
