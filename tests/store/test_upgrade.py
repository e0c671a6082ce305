"""Stores that earlier versions made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import insert, select

from quantconnect_provider.scorecard import compute_scorecards
from quantconnect_provider.store import Store, migrate
from quantconnect_provider.store.database import open_engine
from quantconnect_provider.store.schema import deployments, harvests, insights, metadata
from quantconnect_provider.store.scorecard_tables import scorecards
from tests.scorecard.rows import T0, figures, insight

CARD = {
    "project_id": 1, "source_model": "EmaCross", "ticker": "SPY", "horizon": "1d", "insights": 7, "open": 7,
    "scored": 0, "hits": 0, "calibration": [], "computed_at": T0,
}  # fmt: skip
HARVEST = {
    "harvest_id": "h", "project_id": 1, "deploy_id": "L-1", "started_at": T0, "requests": 1, "read": 2,
    "inserted": 2, "updated": 0, "status": "complete",
}  # fmt: skip
ROWS: dict[Any, list[dict[str, Any]]] = {
    insights: [insight(reference_value_final=110.0), insight(source_model=None, ticker="Ü" * 5000)],
    deployments: [{"deploy_id": "L-1", "project_id": 1, "observed_at": T0}],
    harvests: [HARVEST],
    scorecards: [CARD, {**CARD, "project_id": 2}],
}


@pytest.fixture
def store_at_0005(empty_database: str) -> str:
    """The address of a store with rows, as version 0005 made it."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.attributes["version_table"] = migrate.VERSION_TABLE
    engine = open_engine(empty_database)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        for table, rows in ROWS.items():
            connection.execute(insert(table), rows)
    engine.dispose()
    return empty_database


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_an_upgraded_store_has_the_tables_that_the_code_uses(store_at_0005: str) -> None:
    with Store.open(store_at_0005) as store, store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrate.VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_an_upgraded_store_has_all_its_rows(store_at_0005: str) -> None:
    with Store.open(store_at_0005) as store, store.read() as connection:
        for table, rows in ROWS.items():
            columns = [table.c[name] for name in rows[0]]
            found = [dict(row._mapping) for row in connection.execute(select(*columns))]
            assert sorted(found, key=repr) == sorted(rows, key=repr)


def test_scorecards_of_an_upgraded_store_are_computed_anew(store_at_0005: str) -> None:
    with Store.open(store_at_0005) as store:
        compute_scorecards(store)
        found = figures(store)

    assert {key: (card["insights"], card["returns"]) for key, card in found.items()} == {
        (1, "EmaCross", "SPY", "1d"): (1, 1),
        (1, "", "Ü" * 200, "1d"): (1, 0),
    }
