"""Sends a batch of rows to the database at once, so that SQL can compare and merge it as a set.

Row by row would be simpler and slow: Python's sqlite3 releases the interpreter's lock for every row of an
executemany and waits for it again while other threads parse pages. One statement for many rows waits once.
Measured for 100,000 rows: SQLite 1.5 s with many rows in one VALUES, 4.1 s as JSON, 2.0 s with executemany
(and minutes with it while other threads are busy). PostgreSQL 4.9 s as JSON, 6.6 s with COPY into a temporary
table.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import (
    Column,
    Connection,
    FromClause,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateTable

from quantconnect_provider.store.insight_rows import COLUMNS
from quantconnect_provider.store.schema import insights
from quantconnect_provider.store.text import encode_json

StagedRow = Any
"""One row of ``quantconnect_insights`` in the form that the database takes fastest."""


class Staging(Protocol):
    """How rows reach one kind of database."""

    rows: FromClause
    """The staged rows, with the columns of ``quantconnect_insights``, for use in statements."""

    def encode(self, values: tuple[Any, ...]) -> StagedRow:
        """Return one row in the database's form, given the values of ``COLUMNS``; times and JSON as text."""

    def load(self, connection: Connection, rows: Sequence[StagedRow]) -> dict[str, Any]:
        """Stage *rows* for this transaction; returns the parameters that statements on ``rows`` need."""


class SqliteStaging:
    """A temporary table, filled with a few statements of many rows each."""

    # The numbers of rows for which a statement is kept prepared; SQLite allows 32,766 parameters in one.
    _SIZES = (1000, 100, 10, 1)

    def __init__(self) -> None:
        table = Table(
            "quantconnect_stage",
            MetaData(),
            *(Column(name, insights.columns[name].type) for name in COLUMNS),
            prefixes=["TEMPORARY"],
        )
        self.rows: FromClause = table
        self._create = CreateTable(table, if_not_exists=True)
        one_row = "(" + ",".join("?" * len(COLUMNS)) + ")"
        self._insert = {
            size: f"INSERT INTO {table.name} VALUES {','.join([one_row] * size)}"  # noqa: S608  # nosec B608
            for size in self._SIZES
        }

    def encode(self, values: tuple[Any, ...]) -> StagedRow:
        """Return the row itself: its values are bound."""
        return values

    def load(self, connection: Connection, rows: Sequence[StagedRow]) -> dict[str, Any]:
        """Replace what is staged by *rows*."""
        connection.execute(self._create)
        connection.exec_driver_sql("DELETE FROM quantconnect_stage")
        done = 0
        for size in self._SIZES:
            while len(rows) - done >= size:
                values = tuple(chain.from_iterable(rows[done : done + size]))
                connection.exec_driver_sql(self._insert[size], values)
                done += size
        return {}


class PostgresStaging:
    """One JSON parameter that the server unpacks."""

    def __init__(self) -> None:
        batch = cast(bindparam("batch", type_=Text), JSONB)
        row = func.jsonb_array_elements(batch).column_valued("row")
        self.rows: FromClause = select(
            *(
                cast(row.op("->>")(literal_column(str(index))), insights.columns[name].type).label(name)
                for index, name in enumerate(COLUMNS)
            )
        ).subquery("batch")

    def encode(self, values: tuple[Any, ...]) -> StagedRow:
        """Return the row as JSON."""
        return encode_json(values)

    def load(self, connection: Connection, rows: Sequence[StagedRow]) -> dict[str, Any]:
        """Join *rows* into the one parameter."""
        return {"batch": (b"[" + b",".join(rows) + b"]").decode()}
