"""docs/partition_insights.sql: on a store that was harvested into, and is harvested into afterwards."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.harvest import Store, harvest
from quantconnect_provider.sandbox.server import Sandbox

SCRIPT = Path(__file__).parents[2] / "docs" / "partition_insights.sql"
PROJECTS, INSIGHTS = 40, 30


@pytest.fixture
def database(postgres_url: str) -> str:
    """An empty database for this test alone."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS partitions WITH (FORCE)")
        admin.execute("CREATE DATABASE partitions")
    return postgres_url.rpartition("/")[0] + "/partitions"


def fill(sandbox: Sandbox, database: str) -> int:
    """Harvest everything; the number of rows that were new."""
    with (
        QuantConnectClient(sandbox.user_id, sandbox.api_token, sandbox.base_url) as client,
        Store.open(database) as store,
    ):
        report = harvest(client, store, client.list_live())
        report.raise_if_failed()
        return report.counts()["inserted"]


def rows(database: str, table: str = "quantconnect_insights") -> list[tuple[object, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY project_id, insight_id").fetchall()


def partitions(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        query = "SELECT relid::text FROM pg_partition_tree('quantconnect_insights') WHERE isleaf ORDER BY 1"
        return [name for (name,) in connection.execute(query).fetchall()]


def indexes(database: str) -> set[tuple[str, str]]:
    """Name and definition of each index, without what only says that the table has partitions."""
    with psycopg.connect(database) as connection:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'quantconnect_insights'"
        return {
            (name, text.replace(" ON ONLY ", " ON ")) for name, text in connection.execute(query).fetchall()
        }


def partition(database: str) -> None:
    script = SCRIPT.read_text().removesuffix("ANALYZE quantconnect_insights;\n")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(script)


@pytest.fixture
def sandbox() -> object:
    scenario = {
        "projects": [
            {
                "name": "Strategy {n}",
                "count": PROJECTS,
                "deployments": [{"status": "Running"}],
                "insights": {"history": {"count": INSIGHTS, "period_seconds": 1}},
            }
        ]
    }
    with Sandbox(scenario) as running:
        yield running


def test_partitioning_keeps_every_row_and_index_and_the_harvest_goes_on(
    sandbox: Sandbox, database: str
) -> None:
    assert fill(sandbox, database) == PROJECTS * INSIGHTS
    before, indexes_before = rows(database), indexes(database)
    partition(database)
    assert rows(database) == before
    assert indexes(database) == indexes_before
    assert len(partitions(database)) == 16
    assert all(len(rows(database, name)) <= 3 * INSIGHTS for name in partitions(database))
    sandbox.add_insights(sandbox.deployments()[0]["deploy_id"], 5)
    assert fill(sandbox, database) == 5
    assert len(rows(database)) == PROJECTS * INSIGHTS + 5


def test_an_empty_store_can_be_partitioned(database: str) -> None:
    Store.open(database).close()
    partition(database)
    assert partitions(database) == ["quantconnect_insights_01"]
