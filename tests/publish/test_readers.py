"""What analysts use reads the files: all rows once, with the types of the table, nulls included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest
from upath import UPath

from quantconnect_provider.harvest import Store
from quantconnect_provider.publish import publish
from quantconnect_provider.store.schema import insights
from tests.publish.rows import START, insight, put

BIG = 2**40


def read_duckdb(folder: Path) -> list[tuple[object, ...]]:
    return duckdb.sql(
        f"SELECT project_id, position, epoch_us(generated_at), confidence, project, month"
        f"  FROM read_parquet('{folder}/insights/**/*.parquet', hive_partitioning = true)"
        " ORDER BY project_id, position"
    ).fetchall()


def read_polars(folder: Path) -> list[tuple[object, ...]]:
    found = pl.scan_parquet(f"{folder}/insights/**/*.parquet", hive_partitioning=True)
    return (
        found.select(
            "project_id", "position", pl.col("generated_at").dt.epoch("us"), "confidence", "project", "month"
        )
        .sort("project_id", "position")
        .collect()
        .rows()
    )


def read_pandas(folder: Path) -> list[tuple[object, ...]]:
    found = pd.read_parquet(f"{folder}/insights", dtype_backend="pyarrow").sort_values(
        ["project_id", "position"]
    )
    assert str(found["generated_at"].dtype) == "timestamp[us, tz=UTC][pyarrow]"
    return [
        (
            row.project_id,
            row.position,
            None if pd.isna(row.generated_at) else int(row.generated_at.timestamp() * 1e6),
            None if pd.isna(row.confidence) else row.confidence,
            int(row.project),
            row.month,
        )
        for row in found.itertuples()
    ]


@pytest.mark.parametrize("read", [read_duckdb, read_polars, read_pandas])
def test_a_reader_finds_each_row_once(
    store: Store, tmp_path: Path, read: Callable[[Path], list[tuple[object, ...]]]
) -> None:
    put(store, insights, insight(0), insight(1, confidence=None), insight(2))
    put(store, insights, insight(3, BIG, generated_at=None))
    for _ in range(2):
        publish(store, UPath(tmp_path / "lake"))
        put(store, insights, insight(2, confidence=0.25))
    publish(store, UPath(tmp_path / "lake"))
    began, day = int(START.timestamp() * 1e6), 86_400_000_000
    assert read(tmp_path / "lake") == [
        (1, 0, began, 0.5, 1, "2026-01"),
        (1, 1, began + day, None, 1, "2026-01"),
        (1, 2, began + 2 * day, 0.25, 1, "2026-02"),
        (BIG, 3, None, 0.5, BIG, "unknown"),
    ]
