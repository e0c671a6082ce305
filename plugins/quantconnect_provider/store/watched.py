"""What the watch remembers from one cycle to the next, and the equity that it appends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from quantconnect_provider.store.schema import deployments
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.watch_tables import equity, watched


@dataclass
class Watched:
    """A row of ``quantconnect_watched``: a deployment as the last cycle saw it.

    :param is_known: it ran before the first cycle, or this Airflow asked for it.
    :param equity: the last one that was a number, in the account's currency.
    :param peak_equity: the highest one so far.
    :param alive_at: when equity, log or insights last changed.
    :param log_line: the line of the project's log, from 0, that the next read begins at; None: unknown.
    :param insights: how many insights of the deployment have been counted; None: unknown.
    """

    deploy_id: str
    project_id: int
    status: str
    observed_at: datetime
    is_known: bool
    equity: float | None = None
    peak_equity: float | None = None
    security_types: str | None = None
    alive_at: datetime | None = None
    log_line: int | None = None
    insights: int | None = None
    log_read_at: datetime | None = None
    insights_read_at: datetime | None = None
    statistics_read_at: datetime | None = None


def load_watched(store: Store) -> dict[str, Watched]:
    """Return what the last cycle saw, by deployment."""
    columns = [watched.c[each.name] for each in fields(Watched)]
    with store.read() as connection:
        return {row.deploy_id: Watched(**row._mapping) for row in connection.execute(select(*columns))}


def load_project_names(store: Store) -> dict[int, str]:
    """Return the newest known name of each project that has a deployment."""
    known = deployments.c
    query = select(known.project_id, known.project_name).where(known.project_name.is_not(None))
    with store.read() as connection:
        rows = connection.execute(query.order_by(known.observed_at))
        return {row.project_id: row.project_name for row in rows}


def save_cycle(
    store: Store,
    seen: Sequence[Watched],
    equities: Sequence[Mapping[str, Any]],
    forget: Collection[str] = (),
) -> None:
    """Store what a cycle saw, in one transaction.

    :param equities: rows of ``quantconnect_equity``; one that is there already stays as it is.
    :param forget: deployments that need no watching any more.
    """
    store.write(lambda connection: _save(connection, seen, equities, forget))


def _save(
    connection: Connection,
    seen: Sequence[Watched],
    equities: Sequence[Mapping[str, Any]],
    forget: Collection[str],
) -> None:
    upsert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = upsert(watched)
    changes = {each.name: statement.excluded[each.name] for each in fields(Watched)[1:]}
    if seen:
        rows = sorted((vars(each) for each in seen), key=lambda row: str(row["deploy_id"]))
        connection.execute(
            statement.on_conflict_do_update(index_elements=["deploy_id"], set_=changes), list(rows)
        )
    if equities:
        connection.execute(upsert(equity).on_conflict_do_nothing(), list(equities))
    for deploy_id in sorted(forget):
        connection.execute(delete(watched).where(watched.c.deploy_id == deploy_id))
