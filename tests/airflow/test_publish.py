"""Publishing Parquet files through Airflow: its paths, its connections, and the harvest's task `publish`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow import parquet
from sqlalchemy import func, select

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.harvest import Store
from quantconnect_provider.operators.publish_parquet import QuantConnectPublishParquetOperator
from quantconnect_provider.publish import DATA_SETS
from quantconnect_provider.store.schema import insights
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed
from tests.airflow.conftest import FAST, Run
from tests.publish.rows import insight, put


@pytest.fixture
def quantconnect_scenario() -> Any:
    deployment = {
        "status": "Running",
        "insights": {"history": {"count": 40}, "growth": {"every_seconds": 0}},
        "orders": {"history": {"count": 30}},
    }
    return {**FAST, "projects": [{"name": "Alpha", "id": 2001, "deployments": [deployment]}]}


@pytest.fixture
def filled(store_url: str) -> str:
    with Store.open(store_url) as store:
        put(store, insights, insight(0), insight(3))
    return store_url


def run(path: str, **fields: Any) -> dict[str, int]:
    operator = QuantConnectPublishParquetOperator(task_id="publish", path=path, **fields)
    result: dict[str, int] = operator.execute({})  # type: ignore[typeddict-item]
    return result


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_local_folder(filled: str, tmp_path: Path, prefix: str) -> None:
    counts = run(f"{prefix}{tmp_path}/lake/")
    assert (counts["written"], counts["rows"]) == (2, 2)
    assert len(list((tmp_path / "lake" / "insights").rglob("*.parquet"))) == 2
    assert run(f"{prefix}{tmp_path}/lake")["written"] == 0


def test_an_object_store_with_its_connection(filled: str) -> None:
    store = MemoryFileSystem()
    store.store.clear()
    attach("memory", conn_id="lake", fs=store)
    for fields in (
        {"path": "memory://lake@bucket/qc"},
        {"path": "memory://bucket/qc", "path_conn_id": "lake"},
    ):
        run(**fields, data_sets="insights, equity", full="true")  # type: ignore[arg-type]
        assert sorted(store.find("/bucket/qc")) == [
            "/bucket/qc/insights/_manifest.json",
            "/bucket/qc/insights/project=1/month=2026-01/data.parquet",
            "/bucket/qc/insights/project=1/month=2026-02/data.parquet",
        ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"path": ""}, "path is empty"),
        ({"path": "lake"}, "not absolute"),
        ({"path": "nowhere://bucket"}, "nowhere"),
        ({"data_sets": ["insights", "harvests"]}, "data_sets is 'harvests'"),
        ({"full": "perhaps"}, "full is 'perhaps'"),
    ],
)
def test_a_parameter_that_cannot_be_right(
    filled: str, tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(QuantConnectTaskFailed, match=message) as failed:
        run(**{"path": str(tmp_path), **fields})
    assert isinstance(failed.value.error, InvalidSettingError)


def test_without_the_extra_the_task_says_what_to_install(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("quantconnect_provider.publish.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(QuantConnectTaskFailed, match=r"airflow-provider-quantconnect\[parquet\]"):
        run(str(tmp_path / "lake"))


def test_the_harvest_publishes_what_it_has_stored(
    run_dag: Callable[..., Run],
    store_url: str,
    tmp_path: Path,
    quantconnect_sandbox: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__QUANTCONNECT__PUBLISH_PATH", f"file://{tmp_path}/lake")
    run = run_dag("quantconnect_harvest_insights")
    assert run.state == "success"
    assert run.states["publish"] == "success"
    with Store.open(store_url) as store, store.read() as connection:
        for name in ("insights", "orders", "fills", "deployments"):
            count = connection.execute(select(func.count()).select_from(DATA_SETS[name].table)).scalar_one()
            paths = (tmp_path / "lake" / name).rglob("*.parquet")
            assert sum(parquet.ParquetFile(path).metadata.num_rows for path in paths) == count > 0


def test_the_harvest_publishes_only_if_a_folder_is_set(
    run_dag: Callable[..., Run], quantconnect_sandbox: Any
) -> None:
    assert "publish" not in run_dag("quantconnect_harvest_insights").states
