"""Which tables are published, and how each is divided into files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, Text, func, literal_column

from quantconnect_provider.store.schema import deployments, insights
from quantconnect_provider.store.scorecard_tables import scorecards
from quantconnect_provider.store.trading_tables import fills, orders, positions, trades
from quantconnect_provider.store.watch_tables import equity

FILE = "data.parquet"

Partition = tuple[tuple[str, Any], ...]
"""The name and value of each partition key, in the order of the folders."""


@dataclass(frozen=True)
class DataSet:
    """A table that is published.

    Its files are divided by project and by the month (UTC) of one time, so that a night changes few of them.
    The keys are not named like columns: each file holds all columns of the table with their types, and a
    reader does not have to guess the types of keys from the names of folders.

    :param name: its folder.
    :param month_of: the time that decides the month; None: the table is small and is one file.
    """

    name: str
    table: Table
    month_of: Column[Any] | None = None

    def keys(self, dialect: str) -> dict[str, ColumnElement[Any]]:
        """Return the partition keys by name, as SQL."""
        if self.month_of is None:
            return {}
        return {"project": self.table.c.project_id, "month": _month(self.month_of, dialect)}

    def path(self, partition: Partition) -> str:
        """Return where a partition's file is, below the folder of all data sets."""
        return "/".join([self.name, *(f"{key}={value}" for key, value in partition), FILE])


def _month(time: Column[Any], dialect: str) -> ColumnElement[Any]:
    """Return e.g. ``2026-01``; ``unknown`` where the time is."""
    if dialect == "sqlite":
        month = func.substr(time, 1, 7, type_=Text)
    else:
        month = func.to_char(func.timezone("UTC", time), "YYYY-MM", type_=Text)
    # Written out, not bound: PostgreSQL must see the same expression in SELECT and GROUP BY.
    return func.coalesce(month, literal_column("'unknown'"), type_=Text)


DATA_SETS: dict[str, DataSet] = {
    each.name: each
    for each in (
        DataSet("insights", insights, insights.c.generated_at),
        DataSet("orders", orders, orders.c.created_at),
        DataSet("fills", fills, fills.c.filled_at),
        DataSet("trades", trades, trades.c.exited_at),
        DataSet("equity", equity, equity.c.observed_at),
        DataSet("positions", positions),
        DataSet("deployments", deployments),
        DataSet("scorecards", scorecards),
    )
}
"""Everything that can be published, by name."""


def named(names: Sequence[str] | None) -> list[DataSet]:
    """Return the data sets of these names; None means all.

    :raises KeyError: for a name that is none.
    """
    return list(DATA_SETS.values()) if names is None else [DATA_SETS[name] for name in names]
