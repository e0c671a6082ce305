"""What is stored of each partition, in a few bytes: they differ whenever a row is added, changed or removed.

A time of the last change would miss rows: times of rows that a slow transaction commits late are older than
those that were published before it, equal times cannot be told apart, and a removed row leaves none. So the
database reads all rows, in order of nothing, and adds up a hash of each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Text, cast, func, select

from quantconnect_provider.publish.data_sets import DataSet, Partition
from quantconnect_provider.store.schema import Json

_SQLITE_FUNCTION = "quantconnect_fingerprints"
_WRAP = (1 << 64) - 1

_Group = tuple[Sequence[Any], int, int]
"""The values of the keys, the number of rows, and the sum of their hashes."""


@dataclass(frozen=True)
class Stored:
    """What is stored of a partition.

    :param fingerprint: the sum of a 64-bit hash of each row.
    """

    rows: int
    fingerprint: str


def read_fingerprints(connection: Connection, data_set: DataSet) -> dict[Partition, Stored]:
    """Return what is stored of each partition that has rows; memory is needed for the partitions only."""
    read = _read_sqlite if connection.dialect.name == "sqlite" else _read_postgres
    names = tuple(data_set.keys(connection.dialect.name))
    found = {
        tuple(zip(names, values, strict=True)): Stored(rows, str(fingerprint & _WRAP))
        for values, rows, fingerprint in read(connection, data_set)
    }
    return dict(sorted(found.items()))


def _read_postgres(connection: Connection, data_set: DataSet) -> Iterator[_Group]:
    keys = tuple(data_set.keys("postgresql").values())
    # Without the cast, JSON is the same where its numbers are: 1.0 and 1.00.
    columns = [cast(column, Text) if column.type is Json else column for column in data_set.table.c]
    # With 0 as its seed, PostgreSQL hashes NULL and 0.0 to the same. Its hash of a row is a weighted sum of
    # its values' hashes: added up as it is, it would stay the same when two rows swap their values.
    of_row = func.hash_record_extended(func.row(*columns), 1)
    fingerprint = func.sum(func.hashtextextended(cast(of_row, Text), 0))
    query = select(func.count(), fingerprint, *keys).select_from(data_set.table).group_by(*keys)
    for rows, total, *values in connection.execute(query):
        if rows:  # without keys, an empty table is one group
            yield values, rows, int(total)


def _read_sqlite(connection: Connection, data_set: DataSet) -> Iterator[_Group]:
    """Do the same with an aggregate of this module: SQLite has no hash, and to group it sorts whole rows."""
    keys = tuple(data_set.keys("sqlite").values())
    raw: Any = connection.connection.driver_connection
    raw.create_aggregate(_SQLITE_FUNCTION, -1, _Fingerprints)
    fingerprints = getattr(func, _SQLITE_FUNCTION)(len(keys), *keys, *data_set.table.c, type_=Text)
    found = connection.execute(select(fingerprints).select_from(data_set.table)).scalar()
    yield from msgspec.json.decode(found or "[]")


class _Fingerprints:
    """The aggregate: the number of keys, the keys, and a row's values in; all groups out."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Any, ...], list[int]] = {}

    def step(self, keys: int, *values: Any) -> None:
        """Add a row."""
        digest = hashlib.blake2b(msgspec.msgpack.encode(values), digest_size=8).digest()
        group = self._groups.setdefault(values[:keys], [0, 0])
        group[0] += 1
        group[1] = (group[1] + int.from_bytes(digest, "little")) & _WRAP

    def finalize(self) -> bytes:
        """Return the groups as JSON."""
        return msgspec.json.encode([(key, *sums) for key, sums in self._groups.items()])
