"""Rows change and runs are killed anywhere: after the next run the files equal the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sqlalchemy import delete, update
from upath import UPath

from quantconnect_provider.harvest import Store
from quantconnect_provider.publish import publication, publish
from quantconnect_provider.publish.files import Files
from quantconnect_provider.store.schema import insights
from tests.publish.rows import insight, put, remove, stored

NUMBERS = st.integers(0, 70)  # of three months
PROJECTS = st.integers(1, 2)
KILL = st.tuples(st.just("kill"), st.integers(0, 12), st.booleans())
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NUMBERS, PROJECTS, st.sampled_from([0.0, 0.5, None])),
        st.tuples(st.just("remove"), NUMBERS),
        st.tuples(st.just("unplace"), NUMBERS),
        st.tuples(st.just("publish")),
        KILL,
    ),
    max_size=25,
)


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed(at: int, after: bool) -> Iterator[None]:
    """End the run at its operation with this number, before it or after it."""
    count = 0

    def dying(method: Any) -> Any:
        def call(*given: Any) -> Any:
            nonlocal count
            count += 1
            if count == at + 1 and not after:
                raise Killed
            method(*given)
            if count == at + 1:
                raise Killed

        return call

    places = patch.multiple(Files, put=dying(Files.put), remove=dying(Files.remove))
    with places, suppress(Killed):
        yield


def read(folder: UPath) -> list[dict[str, Any]]:
    """What is in all *.parquet files."""
    fs: Any = folder.fs
    paths = [path for path in fs.find(folder.path) if path.endswith(".parquet")]
    tables = [parquet.ParquetFile(pa.BufferReader(fs.cat_file(path))).read() for path in paths]
    return [row for table in tables for row in table.to_pylist()]


def essence(rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    return Counter((row["project_id"], row["insight_id"], row["confidence"], row["position"]) for row in rows)


@pytest.mark.parametrize("kind", ["file", "memory"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(steps=STEPS)
def test_the_files_equal_the_store(kind: str, store: Store, tmp_path_factory: Any, steps: Any) -> None:
    store.write(lambda connection: connection.execute(delete(insights)))
    if kind == "file":
        folder = UPath(tmp_path_factory.mktemp("lake"))
    else:
        MemoryFileSystem.store.clear()
        folder = UPath(f"memory://{uuid4().hex}")
    seen = set()
    for step in [*steps, ("publish",)]:
        match step:
            case ("put", number, project_id, confidence):
                put(store, insights, insight(number, project_id, confidence=confidence))
            case ("remove", number):
                remove(store, number)
            case ("unplace", number):
                this = insights.c.position == number
                store.write(
                    lambda connection, this=this: connection.execute(
                        update(insights).where(this).values(position=None)
                    )
                )
            case ("publish",):
                publish(store, folder, ["insights"])
                assert essence(read(folder)) == essence(stored(store))
            case ("kill", at, after):
                with patch.object(publication, "_FILES_AT_ONCE", 2), killed(at, after):
                    publish(store, folder, ["insights"])
        seen |= set(essence(stored(store)))
        found = essence(read(folder))
        assert set(found) <= seen
        keys = [key[:2] for key in found.elements()]
        assert len(keys) == len(set(keys)), "a reader finds a row twice"
