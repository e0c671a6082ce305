from __future__ import annotations

import multiprocessing
import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url, text

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.store import Store, scorecard_tables, trading_tables, watch_tables  # noqa: F401 - register
from quantconnect_provider.store.database import open_engine
from quantconnect_provider.store.migrate import VERSION_TABLE
from quantconnect_provider.store.schema import metadata
from tests.harvest.contents import stored_insights
from tests.harvest.fake_api import FakeApi
from tests.harvest.nights import night


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def open_store(address: str, begin: Any, results: Any) -> None:
    begin.wait()
    try:
        Store.open(address).close()
        results.put(None)
    except Exception as error:
        results.put(repr(error))


def test_many_processes_may_open_an_empty_store_at_once(empty_database: str) -> None:
    context = multiprocessing.get_context("spawn")
    begin, results = context.Barrier(4), context.Queue()
    processes = [context.Process(target=open_store, args=(empty_database, begin, results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [None] * 4
    for process in processes:
        process.join()


def test_tables_of_a_newer_release_are_left_alone(store: Store, store_url: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(InvalidSettingError, match="9999"):
        Store.open(store_url)


def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path}/some/where/store.db").close()
    assert (tmp_path / "some" / "where" / "store.db").exists()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_of_a_postgresql_address_uses_psycopg(scheme: str) -> None:
    assert open_engine(f"{scheme}://u:p@host/db").dialect.driver == "psycopg"


@pytest.mark.parametrize("address", ["", "nonsense", "mysql://host/db", "oracle+nothing://x"])
def test_other_addresses_are_refused_with_an_explanation(address: str) -> None:
    with pytest.raises(InvalidSettingError):
        Store.open(address)


def test_a_password_is_not_shown() -> None:
    store = Store(open_engine(make_url("postgresql://user:s3cret@host/db")))
    assert "s3cret" not in f"{store} {store.address}"


def test_times_come_back_as_aware_utc(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    (insight,) = api.emit(deployment)
    night(api, store)
    row = stored_insights(store, deployment.deploy_id)[insight.insight_id]
    for name in ("generated_at", "closes_at", "first_seen_at", "observed_at"):
        assert row[name].utcoffset() == timedelta(0)


def test_sqlite_holds_times_as_iso_text_in_utc(api: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    deployment = api.deploy()
    (insight,) = api.emit(deployment)
    with Store.open(f"sqlite:///{path}") as store:
        night(api, store)
    with sqlite3.connect(path) as connection:
        ((closes_at,),) = connection.execute("SELECT closes_at FROM quantconnect_insights")
    assert datetime.fromisoformat(closes_at) == insight.closes_at
    assert datetime.fromisoformat(closes_at).tzinfo == timezone.utc


def test_unknown_fields_are_kept(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    (insight,) = api.emit(deployment)
    insight.extra = {"newField": {"a": [1, "ü"]}}
    night(api, store)
    assert stored_insights(store, deployment.deploy_id)[insight.insight_id]["extra"] == insight.extra


def test_text_that_a_database_cannot_hold_stops_nothing(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    (insight,) = api.emit(deployment)
    odd = msgspec.structs.replace(
        insight, tag="a\x00b\ud800 \\u0000", extra={"x\x00": "c\x00d \\u0000\udfff"}
    )
    deployment.insights[0] = deployment.served[0] = odd
    night(api, store)
    row = stored_insights(store, deployment.deploy_id)[insight.insight_id]
    assert row["tag"] == "ab\ufffd \\u0000"
    assert row["extra"] == {"x": "cd \\u0000\ufffd"}


def test_first_seen_stays_when_a_row_is_seen_again(api: FakeApi, store: Store) -> None:
    deployment = api.deploy()
    (insight,) = api.emit(deployment)
    night(api, store)
    before = stored_insights(store, deployment.deploy_id)[insight.insight_id]
    api.score(deployment, 0, 0.5)
    night(api, store)
    after = stored_insights(store, deployment.deploy_id)[insight.insight_id]
    assert after["first_seen_at"] == before["first_seen_at"]
    assert after["observed_at"] > before["observed_at"]
