"""The Arrow schema of a table, and its rows as Parquet: a bounded number of them in memory at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from sqlalchemy import BigInteger, Boolean, Column, Connection, Double, Integer, Table, Text, cast, select

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.publish.data_sets import DataSet, Partition
from quantconnect_provider.store.schema import Json, Time

_BATCH_ROWS = 8_192  # as Python objects
_WAITING_ROWS = 131_072  # as Arrow arrays, of all files together
_GROUP_ROWS = 65_536  # in a row group of a file

# The first that fits: BigInteger is an Integer, too.
_PLAIN = (
    (BigInteger, pa.int64()),
    (Integer, pa.int32()),
    (Double, pa.float64()),
    (Boolean, pa.bool_()),
    (Text, pa.string()),
)


class UnpublishableValueError(QuantConnectError):
    """A row of the store holds a value that is not of its column's type; only SQLite lets one in."""

    default_advice = "Correct the row, or harvest its deployment again in full."


def arrow_schema(table: Table) -> pa.Schema:
    """Return the schema of a table's files: its columns, in its order.

    Times are microseconds in UTC, JSON is text.

    :raises TypeError: for a type of column that no table had before.
    """
    return pa.schema([pa.field(column.name, _arrow_type(column), column.nullable) for column in table.c])


def _arrow_type(column: Column[Any]) -> pa.DataType:
    kind = column.type
    if kind is Time:
        return pa.timestamp("us", tz="UTC")
    if kind is Json:
        return pa.string()
    for known, arrow_type in _PLAIN:
        if isinstance(kind, known):
            return arrow_type
    raise TypeError(f"{column} has a type without a counterpart in Arrow: {kind!r}")


def write_partitions(
    connection: Connection, data_set: DataSet, targets: Mapping[Partition, Path]
) -> dict[Partition, int]:
    """Write the rows of some partitions into new files, reading the table once; returns how many each has.

    :param targets: the file of each; that many are open at a time.
    :raises UnpublishableValueError: naming the column.
    """
    schema = arrow_schema(data_set.table)
    with ExitStack() as stack:
        writers = {
            partition: stack.enter_context(_PartitionWriter(target, schema))
            for partition, target in targets.items()
        }
        for partition, rows in _read(connection, data_set, targets):
            writers[partition].add(_record_batch(rows, data_set, schema))
            while sum(writer.waiting for writer in writers.values()) >= _WAITING_ROWS:
                max(writers.values(), key=attrgetter("waiting")).flush()
        return {partition: writer.rows for partition, writer in writers.items()}


class _PartitionWriter:
    """A file that is being written; a context manager.

    :param target: the new file.
    """

    def __init__(self, target: Path, schema: pa.Schema) -> None:
        self._writer = parquet.ParquetWriter(target, schema, compression="zstd")
        self._batches: list[pa.RecordBatch] = []
        self.waiting = 0
        self.rows = 0

    def __enter__(self) -> _PartitionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        self._writer.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows, which wait in memory for more."""
        self._batches.append(batch)
        self.waiting += batch.num_rows
        self.rows += batch.num_rows

    def flush(self) -> None:
        """Write what waits, as row groups."""
        if self._batches:
            self._writer.write_table(pa.Table.from_batches(self._batches), row_group_size=_GROUP_ROWS)
        self._batches, self.waiting = [], 0


def _read(
    connection: Connection, data_set: DataSet, wanted: Collection[Partition]
) -> Iterator[tuple[Partition, list[Sequence[Any]]]]:
    """Yield rows of the *wanted* partitions, some of one partition at a time."""
    keys = data_set.keys(connection.dialect.name)
    # JSON as the text that the database has, instead of reading and writing it again.
    columns = [cast(column, Text) if column.type is Json else column for column in data_set.table.c]
    query = select(*columns, *keys.values())
    for name, key in keys.items():
        query = query.where(key.in_({dict(partition)[name] for partition in wanted}))
    with connection.execute(query, execution_options={"yield_per": _BATCH_ROWS}) as result:
        for batch in result.partitions():
            found: dict[Partition, list[Sequence[Any]]] = {}
            for row in batch:
                partition = tuple(zip(keys, row[len(columns) :], strict=True))
                found.setdefault(partition, []).append(row)
            yield from ((partition, rows) for partition, rows in found.items() if partition in wanted)


def _record_batch(rows: list[Sequence[Any]], data_set: DataSet, schema: pa.Schema) -> pa.RecordBatch:
    values = zip(*rows, strict=True)  # the keys come last, and are in no file
    arrays = [_array(field, column, data_set) for field, column in zip(schema, values, strict=False)]
    return pa.record_batch(arrays, schema=schema)


def _array(field: pa.Field, values: tuple[object, ...], data_set: DataSet) -> pa.Array:
    try:
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise UnpublishableValueError(
            f"{data_set.table.name}.{field.name} holds a value that is no {field.type}: {error}."
        ) from error
