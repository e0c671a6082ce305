"""Rows of the store's tables to publish, and what a reader of the files finds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from pyarrow import parquet
from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from quantconnect_provider.harvest import Store
from quantconnect_provider.publish import DATA_SETS
from quantconnect_provider.store.schema import insights

START = datetime(2026, 1, 30, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def insight(number: int, project_id: int = 1, **fields: Any) -> dict[str, Any]:
    """An insight of the day with this number."""
    at = START + number * DAY
    return {
        "project_id": project_id,
        "insight_id": f"{number:032x}",
        "deploy_id": "L-1",
        "position": number,
        "generated_at": at,
        "closes_at": at + DAY,
        "ticker": "SPY",
        "confidence": 0.5,
        "score_is_final": False,
        "extra": {"a": [1, None, "é"]},
        "first_seen_at": at,
        "observed_at": at,
        **fields,
    }


def put(store: Store, table: Table, *rows: dict[str, Any]) -> None:
    """Insert rows, or replace those of the same key."""
    make: Any = sqlite.insert if store.engine.dialect.name == "sqlite" else postgresql.insert
    keys = [column.name for column in table.primary_key]

    def write(connection: Connection) -> None:
        for row in rows:
            statement = make(table).values(row)
            changed = {name: statement.excluded[name] for name in row if name not in keys}
            connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))

    store.write(write)


def remove(store: Store, *numbers: int) -> None:
    ids = [insight(number)["insight_id"] for number in numbers]
    store.write(lambda connection: connection.execute(delete(insights).where(insights.c.insight_id.in_(ids))))


def stored(store: Store, name: str = "insights") -> list[dict[str, Any]]:
    """The rows of a table, by key."""
    table = DATA_SETS[name].table
    with store.read() as connection:
        found = [dict(row._mapping) for row in connection.execute(select(table))]
    return by_key(table, found)


def published(folder: Path, name: str = "insights") -> list[dict[str, Any]]:
    """The rows that a reader of all *.parquet files finds, by key, JSON read again."""
    table = DATA_SETS[name].table
    found = [
        row
        for path in folder.glob(f"{name}/**/*.parquet")
        for row in parquet.ParquetFile(path).read().to_pylist()
    ]
    return by_key(table, found)


def by_key(table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [str(row[column.name]) for column in table.primary_key])


def files(folder: Path) -> dict[str, int]:
    """Each file and the moment at which it was written."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()
    }
