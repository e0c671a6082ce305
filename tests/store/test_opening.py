"""Databases that are opened: in memory, while another program holds them, or without their driver."""

from __future__ import annotations

import sqlite3
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.store import Store
from quantconnect_provider.store.database import open_engine


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_makes_no_folder(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    engine = open_engine(address)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "hold",
    [["BEGIN EXCLUSIVE"], ["BEGIN", "SELECT * FROM other"], ["BEGIN IMMEDIATE"]],
    ids=["alone", "reading", "writing"],
)
def test_a_file_that_another_program_holds_for_a_moment_is_waited_for(
    hold: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "store.db"
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE other (number INTEGER)")
    for statement in hold:
        holder.execute(statement)
    lets_go = threading.Timer(0.5, holder.rollback)
    lets_go.start()
    with Store.open(f"sqlite:///{path}") as store, store.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    lets_go.join()
    holder.close()


def test_a_postgresql_store_without_the_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InvalidSettingError, match="psycopg") as raised:
        open_engine("postgresql://user:canary@host/db")
    assert "[postgres]" in raised.value.advice
    assert "canary" not in str(raised.value)
