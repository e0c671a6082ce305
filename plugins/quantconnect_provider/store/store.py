"""The store: insights, deployments and harvests in SQLite or PostgreSQL."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine, Executable, select
from sqlalchemy.engine import URL

from quantconnect_provider.store.change_rule import FLUSH_LAG, ChangeRule
from quantconnect_provider.store.commit_unit import CommitUnit, HarvestRecord, HarvestTarget, ResumeState
from quantconnect_provider.store.database import checked_address, open_engine
from quantconnect_provider.store.merge import STATE_COLUMNS, CommitResult, Merge
from quantconnect_provider.store.migrate import upgrade
from quantconnect_provider.store.schema import EXPIRING, UNEXPIRING, deployments, insights
from quantconnect_provider.store.staging import PostgresStaging, SqliteStaging, Staging
from quantconnect_provider.store.statements import build_statements
from quantconnect_provider.store.store_errors import patiently, store_errors

_IDS_IN_A_QUERY = 500
PATIENCE_SECONDS = 120.0
"""How long a store waits by default for a lock, or for a server that restarts."""


class Store:
    """Where harvested insights are kept. Open it with :meth:`open`; close it after use.

    One thread uses a store at a time; any number of processes may have the same one open.
    """

    def __init__(self, engine: Engine, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.engine = engine
        self._patience_seconds = patience_seconds
        sqlite = engine.dialect.name == "sqlite"
        self.staging: Staging = SqliteStaging() if sqlite else PostgresStaging()
        self._statements = build_statements(engine.dialect.name, self.staging.rows)

    @classmethod
    def open(cls, url: str | URL, patience_seconds: float = PATIENCE_SECONDS) -> Store:
        """Open the store at a SQLAlchemy address, making or upgrading its tables.

        :param url: ``sqlite:////absolute/path.db`` or ``postgresql://user:password@host/database``.
        :param patience_seconds: how long to wait, each time, while another program holds the database's lock
            or its server restarts.
        :raises InvalidSettingError: if the address is none, or a newer release has upgraded the tables.
        :raises StoreError: if the database cannot be used; so do all methods.
        """
        address = checked_address(url)
        return cls(patiently(lambda: _open(address), str(address), patience_seconds), patience_seconds)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.address})"

    @property
    def address(self) -> str:
        """The database's address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for queries; it blocks no writer."""
        connection = patiently(self.engine.connect, self.address, self._patience_seconds)
        with store_errors(self.address), connection.execution_options(quantconnect_read=True):
            yield connection

    def load_states(self, deploy_ids: Sequence[str]) -> dict[str, ResumeState]:
        """Return the resume states of these deployments; new ones are missing."""
        states: dict[str, ResumeState] = {}
        with self.read() as connection:
            for ids in _pieces(deploy_ids):
                found = connection.execute(select(*STATE_COLUMNS).where(deployments.c.deploy_id.in_(ids)))
                states.update((row.deploy_id, ResumeState(**row._mapping)) for row in found)
        return states

    def known_page_size(self) -> int | None:
        """Return the largest page that the API was last found to accept; None if nothing is known."""
        with self.read() as connection:
            found: int | None = connection.execute(
                select(deployments.c.page_size)
                .where(deployments.c.page_size.is_not(None))
                .order_by(deployments.c.complete_at.desc())
                .limit(1)
            ).scalar()
        return found

    def save_deployments(self, targets: Iterable[HarvestTarget], observed_at: datetime) -> None:
        """Store what live/list said at *observed_at*, unless something later is stored."""
        rows = [
            {
                "deploy_id": target.deploy_id,
                "project_id": target.project_id,
                "project_name": target.project_name or None,
                "status": target.status,
                "brokerage": target.brokerage,
                "launched_at": target.launched_at,
                "stopped_at": target.stopped_at,
                "observed_at": observed_at,
            }
            for target in sorted(targets, key=lambda one: (one.project_id, one.deploy_id))
        ]
        if rows:
            self.write(lambda connection: connection.execute(self._statements.save_deployment, rows))

    def open_positions(
        self, rules: dict[str, ChangeRule], since: datetime | None, rescore: timedelta
    ) -> dict[str, list[int]]:
        """Return, by deployment, the positions of insights that can have changed since they were read.

        :param rules: by deployment, for how long its insights can change.
        :param since: when the last harvest began that read all that could change; None if none did.
        :param rescore: the longest time after a close in which an insight can change.
        """
        table = insights.c
        earliest = since - max(rescore, FLUSH_LAG) if since else None
        ranges: list[Any] = [(EXPIRING, table.closes_at), (UNEXPIRING, table.generated_at)]
        found: dict[str, array[int]] = {}
        with self.read() as connection:
            for ids in _pieces(sorted(rules)):
                for condition, time_column in ranges:
                    query = select(
                        table.deploy_id,
                        table.position,
                        table.generated_at,
                        table.closes_at,
                        table.score_is_final,
                        table.observed_at,
                    ).where(table.deploy_id.in_(ids), condition, table.position.is_not(None))
                    if earliest is not None:
                        query = query.where(time_column > earliest)
                    for deploy_id, position in _still_open(connection, query, rules):
                        found.setdefault(deploy_id, array("I")).append(position)
        return {deploy_id: sorted(positions) for deploy_id, positions in found.items()}

    def ids_between(self, deploy_id: str, first: int, last: int) -> dict[int, str]:
        """Return the insights stored at the positions *first* to *last*, both included."""
        table = insights.c
        with self.read() as connection:
            found = connection.execute(
                select(table.position, table.insight_id).where(
                    table.deploy_id == deploy_id, table.position >= first, table.position <= last
                )
            )
            return {row.position: row.insight_id for row in found}

    def commit(self, units: Sequence[CommitUnit]) -> list[CommitResult]:
        """Store *units*, of one deployment each, in one transaction; returns a result for each.

        The counts of their harvest records are raised by what was stored.
        """
        results: list[CommitResult] = self.write(
            lambda connection: Merge(connection, self.staging, self._statements).apply(units)
        )
        for unit, result in zip(units, results, strict=True):
            unit.record.inserted += result.inserted
            unit.record.updated += result.updated
        return results

    def save_records(self, records: Sequence[HarvestRecord]) -> None:
        """Store records of harvests that end without rows to commit."""
        rows = [vars(record) for record in records]
        if rows:
            self.write(lambda connection: connection.execute(self._statements.save_harvest, rows))

    def write(self, work: Callable[[Connection], Any]) -> Any:
        """Do *work* in a transaction; again if a lock or a restart of the server ended it.

        :raises StoreError: if the database cannot take it; nothing of it is stored then.
        """

        def transaction() -> Any:
            with self.engine.begin() as connection:
                return work(connection)

        return patiently(transaction, self.address, self._patience_seconds)


def _open(address: URL) -> Engine:
    engine = open_engine(address)
    try:
        upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _still_open(
    connection: Connection, query: Executable, rules: dict[str, ChangeRule]
) -> Iterator[tuple[str, int]]:
    rows = connection.execution_options(yield_per=2000).execute(query)
    for deploy_id, position, generated_at, closes_at, final, observed_at in rows:
        if observed_at < rules[deploy_id].settles_at(generated_at, closes_at, bool(final)):
            yield deploy_id, position


def _pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_IN_A_QUERY):
        yield ids[start : start + _IDS_IN_A_QUERY]
