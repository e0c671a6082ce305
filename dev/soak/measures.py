"""What must stay flat: memory, file handles, threads, connections, and the store's size for each row."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from sqlalchemy import create_engine, func, inspect, select, table, text

from dev.tables import table as text_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.engine import URL

Sample = dict[tuple[str, str], float]
"""A number for each thing measured and unit."""

SLACK = {
    "MB": 25.0,
    "handles": 10.0,
    "threads": 6.0,
    "processes": 2.0,
    "connections": 6.0,
    "bytes a row": 50.0,
}
"""How much the last third may be above the middle one in any case, beside a tenth."""

TENTH = 0.1
JUDGED_FROM_DAYS = 6
_STORE_TABLES = "quantconnect_"
_TABLE_BYTES = """
    SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
    WHERE relkind = 'r' AND starts_with(relname, 'quantconnect_')
"""


def measure_processes(sessions: Mapping[str, Sequence[psutil.Process]]) -> Sample:
    """Measure each component with all its processes; one that ends meanwhile is left out."""
    sample: Sample = {}
    for name, found in sessions.items():
        numbers = {"MB": 0.0, "handles": 0.0, "threads": 0.0, "processes": 0.0}
        for process in found:
            with suppress(psutil.NoSuchProcess):
                with process.oneshot():
                    measured = process.memory_info().rss / 1e6, process.num_fds(), process.num_threads()
                for unit, number in zip(numbers, (*measured, 1.0), strict=True):
                    numbers[unit] += number
        sample |= {(name, unit): number for unit, number in numbers.items()}
    return sample


def measure_store(store: URL) -> Sample:
    """Measure the store: how large it is for each of its rows, and on PostgreSQL how many are connected."""
    engine = create_engine(store)
    sample: Sample = {}
    with engine.connect() as connection:
        rows = _rows(connection)
        if engine.dialect.name == "postgresql":
            size = float(connection.execute(text(_TABLE_BYTES)).scalar_one())
            connected = "SELECT datname, count(*) FROM pg_stat_activity WHERE datname IS NOT NULL GROUP BY 1"
            for database, count in connection.execute(text(connected)):
                sample[f"database {database}", "connections"] = float(count)
            databases = "SELECT datname, pg_database_size(oid) FROM pg_database WHERE NOT datistemplate"
            for database, bytes_on_disk in connection.execute(text(databases)):
                sample[f"database {database}", "MB on disk"] = float(bytes_on_disk) / 1e6
        else:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            size = float(pages) * connection.execute(text("PRAGMA page_size")).scalar_one()
    engine.dispose()
    return {**sample, ("store", "rows"): float(rows), ("store", "bytes a row"): size / max(rows, 1)}


def _rows(connection: Connection) -> int:
    names = [name for name in inspect(connection).get_table_names() if name.startswith(_STORE_TABLES)]
    return sum(
        connection.execute(select(func.count()).select_from(table(name))).scalar_one() for name in names
    )


def growing(samples: Sequence[Sample]) -> list[tuple[str, str]]:
    """Return what grew: its highest in the last third is more than a tenth above that of the middle third.

    What is allocated once is so in the first third, which is not compared. Data itself may grow, and too
    few samples say nothing.
    """
    if len(samples) < JUDGED_FROM_DAYS:
        return []
    return [key for key in samples[-1] if key[1] in SLACK and _grew(samples, key)]


def _grew(samples: Sequence[Sample], key: tuple[str, str]) -> bool:
    _, middle, last = (max(part) for part in _thirds(samples, key))
    return last > middle * (1 + TENTH) + SLACK[key[1]]


def _thirds(samples: Sequence[Sample], key: tuple[str, str]) -> tuple[list[float], list[float], list[float]]:
    numbers = [sample.get(key, 0.0) for sample in samples]
    third = max(1, len(numbers) // 3)
    return numbers[:third], numbers[third:-third] or numbers[-1:], numbers[-third:]


def as_table(samples: Sequence[Sample]) -> str:
    """Lay the measures out: the highest of each third, and whether it grew."""
    grew = growing(samples)
    few = len(samples) < JUDGED_FROM_DAYS
    rows = []
    for key in sorted(samples[-1]):
        first, middle, last = (f"{max(part):,.0f}" for part in _thirds(samples, key))
        verdict = (
            "data" if key[1] not in SLACK else "too few days" if few else "GROWS" if key in grew else "flat"
        )
        rows.append([*key, first, middle, last, verdict])
    return text_table(rows, ["what", "in", "first third", "middle third", "last third", ""])
