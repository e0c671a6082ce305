from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import text
from upath import UPath

from quantconnect_provider.harvest import Store
from quantconnect_provider.publish import DATA_SETS, publish
from quantconnect_provider.publish.arrow import UnpublishableValueError
from quantconnect_provider.publish.snapshot import PublishBusyError, snapshot
from quantconnect_provider.store.schema import Json, deployments, insights
from quantconnect_provider.store.trading_tables import orders, positions, trades
from quantconnect_provider.store.watch_tables import equity
from tests.publish.rows import START, files, insight, published, put, remove, stored

AT = {"first_seen_at": START, "observed_at": START}
ODD = {
    "generated_at": None,
    "confidence": None,
    "magnitude": -1.7976931348623157e308,
    "position": None,
    "tag": "a\n\"é\" 'x' \U0001f600",
    "extra": {},
    "score_is_final": None,
}


@pytest.fixture
def run(store: Store, tmp_path: Path) -> Callable[..., dict[str, int]]:
    folder = tmp_path / "lake"
    return lambda *names, **options: publish(store, UPath(folder), names or None, **options).counts()


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


def readable(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their JSON read, whatever spaces a database puts into it."""
    texts = [column.name for column in DATA_SETS[name].table.c if column.type is Json]
    return [
        {**row, **{key: json.loads(row[key]) if isinstance(row[key], str) else row[key] for key in texts}}
        for row in rows
    ]


def assert_same(store: Store, lake: Path, name: str = "insights") -> None:
    assert readable(name, published(lake, name)) == stored(store, name)


def test_every_table_arrives_as_it_is_stored(
    store: Store, run: Callable[..., dict[str, int]], lake: Path
) -> None:
    put(store, insights, insight(0), insight(3), insight(4, 2**40), insight(5, **ODD))
    order = {"project_id": 1, "deploy_id": "L-1", "extra": {}, "quantity": -0.1, **AT}
    put(store, orders, {**order, "order_id": 2**40, "created_at": START}, {**order, "order_id": 1})
    put(store, trades, {"project_id": 1, "trade_id": "t", "order_ids": [1, 2**40], "extra": {}, **AT})
    put(store, equity, {"deploy_id": "L-1", "project_id": 1, "observed_at": START, "equity": 0.1})
    put(store, positions, {"project_id": 1, "symbol": "USD", "kind": "cash", "quantity": 1.0, "observed_at": START})  # fmt: skip  # noqa: E501
    put(store, deployments, {"deploy_id": "L-1", "project_id": 1, "observed_at": START})
    run()
    for name in DATA_SETS:
        assert_same(store, lake, name)
    assert set(files(lake)) == {
        "insights/_manifest.json",
        "insights/project=1/month=2026-01/data.parquet",
        "insights/project=1/month=2026-02/data.parquet",
        f"insights/project={2**40}/month=2026-02/data.parquet",
        "insights/project=1/month=unknown/data.parquet",
        "orders/_manifest.json",
        "orders/project=1/month=2026-01/data.parquet",
        "orders/project=1/month=unknown/data.parquet",
        "trades/_manifest.json",
        "trades/project=1/month=unknown/data.parquet",
        "equity/_manifest.json",
        "equity/project=1/month=2026-01/data.parquet",
        "positions/_manifest.json",
        "positions/data.parquet",
        "deployments/_manifest.json",
        "deployments/data.parquet",
    }


def test_columns_have_the_types_of_the_table(
    store: Store, run: Callable[..., dict[str, int]], lake: Path
) -> None:
    put(store, insights, insight(0))
    run("insights")
    [path] = lake.rglob("*.parquet")
    schema = parquet.read_schema(path)
    assert schema.names == list(insights.c.keys())
    kinds = {name: schema.field(name).type for name in ("project_id", "position", "extra", "generated_at")}
    assert kinds == {
        "project_id": pa.int64(),
        "position": pa.int32(),
        "extra": pa.string(),
        "generated_at": pa.timestamp("us", tz="UTC"),
    }


def test_a_month_is_one_of_utc(store: Store, run: Callable[..., dict[str, int]], lake: Path) -> None:
    february = datetime(2026, 2, 1, tzinfo=timezone.utc)
    put(store, insights, insight(0, generated_at=february - timedelta(microseconds=1)))
    put(store, insights, insight(1, generated_at=february))
    if store.engine.dialect.name == "postgresql":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            database = store.engine.url.database
            connection.execute(text(f"ALTER DATABASE {database} SET timezone = 'America/New_York'"))
        store.engine.dispose()
    run("insights")
    assert [row["position"] for row in published(lake)] == [0, 1]
    assert len(list(lake.glob("insights/project=1/month=2026-0[12]/data.parquet"))) == 2


def test_only_files_with_changed_rows_are_written(
    store: Store, run: Callable[..., dict[str, int]], lake: Path
) -> None:
    put(store, insights, *(insight(day, project) for day in range(60) for project in (1, 2)))
    run()
    before = files(lake)
    put(store, insights, insight(40, 2, score_is_final=True))
    assert run()["written"] == 1
    assert_same(store, lake)
    changed = {name for name, at in files(lake).items() if before.get(name) != at}
    assert changed == {"insights/project=2/month=2026-03/data.parquet", "insights/_manifest.json"}


@pytest.mark.parametrize(
    "fields",
    [
        {"position": None},  # what loses its place keeps the time at which it was observed
        {"confidence": 0.5000000000000001},
        {"extra": {"a": [1, None, "e"]}},
        {"observed_at": START},
        {"tag": ""},
    ],
)
def test_the_smallest_change_is_published(
    store: Store, run: Callable[..., dict[str, int]], lake: Path, fields: dict[str, Any]
) -> None:
    put(store, insights, insight(0), insight(1))
    run()
    put(store, insights, insight(1, **fields))
    assert run()["written"] == 1
    assert_same(store, lake)


def test_a_zero_is_not_nothing(store: Store, run: Callable[..., dict[str, int]], lake: Path) -> None:
    put(store, insights, insight(1, confidence=None))
    run()
    put(store, insights, insight(1, confidence=0.0))
    run()
    assert_same(store, lake)


def test_a_row_that_is_older_than_what_was_published_is_published(
    store: Store, run: Callable[..., dict[str, int]], lake: Path
) -> None:
    put(store, insights, insight(1))
    run()
    put(store, insights, insight(2, first_seen_at=START, observed_at=START, generated_at=START))
    run()
    assert_same(store, lake)


def test_values_that_change_places_are_published(
    store: Store, run: Callable[..., dict[str, int]], lake: Path
) -> None:
    put(store, insights, insight(2, confidence=0.1), insight(3, confidence=0.2))
    assert run()["written"] == 1
    put(store, insights, insight(2, confidence=0.2), insight(3, confidence=0.1))
    run()
    assert_same(store, lake)


def test_removed_rows_are_gone(store: Store, run: Callable[..., dict[str, int]], lake: Path) -> None:
    put(store, insights, insight(0), insight(1), insight(3))
    run()
    remove(store, 1, 3)
    counts = run()
    assert (counts["written"], counts["removed"]) == (1, 1)
    assert_same(store, lake)
    remove(store, 0)
    run()
    assert list(lake.rglob("*.parquet")) == []


def test_nothing_is_written_when_nothing_has_changed(
    store: Store, run: Callable[..., dict[str, int]], lake: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, insights, insight(0), insight(3))
    run()
    before = files(lake)
    with caplog.at_level(logging.INFO):
        assert run()["written"] == 0
    assert files(lake) == before
    assert "insights: nothing has changed, 2 files." in caplog.text


def test_full_writes_all_again(store: Store, run: Callable[..., dict[str, int]], lake: Path) -> None:
    put(store, insights, insight(0), insight(3))
    run()
    assert run(full=True)["written"] == 2
    assert_same(store, lake)


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b'{"format": 0, "schema": "", "files": {}}'])
def test_a_manifest_that_cannot_be_used_costs_one_more_writing(
    store: Store, run: Callable[..., dict[str, int]], lake: Path, content: bytes | None
) -> None:
    put(store, insights, insight(0), insight(3))
    run()
    manifest = lake / "insights" / "_manifest.json"
    manifest.unlink() if content is None else manifest.write_bytes(content)
    assert run()["written"] == 2
    assert run()["written"] == 0
    assert_same(store, lake)


def test_files_that_were_removed_or_cut_are_written_again(
    store: Store, run: Callable[..., dict[str, int]], lake: Path
) -> None:
    put(store, insights, insight(0), insight(3), insight(33))
    run()
    first, second, _ = sorted(lake.rglob("*.parquet"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:100])
    assert run()["written"] == 2
    assert_same(store, lake)


def test_files_of_others_are_left_alone(store: Store, run: Callable[..., dict[str, int]], lake: Path) -> None:
    put(store, insights, insight(0))
    run()
    (lake / "insights" / "README.txt").write_text("ours")
    remove(store, 0)
    run()
    assert (lake / "insights" / "README.txt").read_text() == "ours"


def test_a_second_run_at_the_same_time_writes_nothing(
    store: Store, run: Callable[..., dict[str, int]], lake: Path, store_url: str
) -> None:
    put(store, insights, insight(0))
    with Store.open(store_url) as other, snapshot(other, f"file:{lake}"):
        with pytest.raises(PublishBusyError) as failed:
            run()
        assert failed.value.retryable
        assert not lake.exists()
    run()
    assert_same(store, lake)


def test_rows_that_are_stored_meanwhile_come_with_the_next_run(
    store: Store,
    run: Callable[..., dict[str, int]],
    lake: Path,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from quantconnect_provider.publish import publication

    put(store, insights, insight(0))
    original = publication.write_partitions

    def harvest_meanwhile(*given: Any) -> Any:
        with Store.open(store_url) as other:
            put(other, insights, insight(1))
        return original(*given)

    monkeypatch.setattr(publication, "write_partitions", harvest_meanwhile)
    run()
    assert len(published(lake)) == 1
    monkeypatch.undo()
    assert run()["written"] == 1
    assert_same(store, lake)


def test_more_partitions_and_rows_than_are_handled_at_once(
    store: Store, run: Callable[..., dict[str, int]], lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quantconnect_provider.publish import arrow, publication

    monkeypatch.setattr(arrow, "_BATCH_ROWS", 7)
    monkeypatch.setattr(arrow, "_WAITING_ROWS", 20)
    monkeypatch.setattr(publication, "_FILES_AT_ONCE", 3)
    put(store, insights, *(insight(day, project) for day in range(70) for project in (1, 2, 3)))
    assert run()["written"] == 12
    assert_same(store, lake)


def test_a_value_of_another_type_is_named(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:  # PostgreSQL lets in no such value
        put(store, insights, insight(0))
        with store.engine.begin() as connection:
            connection.execute(text("UPDATE quantconnect_insights SET confidence = 'high'"))
        with pytest.raises(UnpublishableValueError, match=r"quantconnect_insights.confidence"):
            publish(store, UPath(tmp_path / "lake"))
