"""Keeps orders, fills, closed trades and positions: each row once, and never an older answer over a newer.

Several harvests of a project may run at once. Each transaction that writes locks the project's deployments
first, as a merge of insights does, so that one waits for the other and none waits in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from quantconnect_provider.store.schema import deployments
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.text import storable
from quantconnect_provider.store.trading_tables import fills, orders, positions, trades

Row = dict[str, Any]
Conditions = Sequence[ColumnElement[bool]]
OrderKey = tuple[str, int]
"""A deployment's id, and the id of one of its orders."""

_IDS_IN_A_QUERY = 500
_NOT_CONTENT = frozenset({"first_seen_at", "observed_at"})


@dataclass
class Kept:
    """How many rows were new, and how many stored rows were different."""

    inserted: int = 0
    updated: int = 0


@dataclass(frozen=True)
class StoredOrder:
    """What a harvest has to know of an order that is stored."""

    position: int
    deploy_id: str
    order_id: int
    observed_at: datetime


def last_order(store: Store, project_id: int) -> StoredOrder | None:
    """Return the order at the highest position of a project; None if no order is stored."""
    query = _stored_orders(project_id).order_by(orders.c.position.desc()).limit(1)
    with store.read() as connection:
        row = connection.execute(query).first()
        return StoredOrder(*row) if row else None


def open_orders(store: Store, project_id: int, final: Iterable[str]) -> list[StoredOrder]:
    """Return the orders whose status is not one of *final*, by position."""
    still_open = orders.c.status.is_(None) | orders.c.status.not_in(sorted(final))
    with store.read() as connection:
        rows = connection.execute(_stored_orders(project_id).where(still_open).order_by(orders.c.position))
        return [StoredOrder(*row) for row in rows]


def missing_positions(store: Store, project_id: int) -> list[int]:
    """Return the positions up to the highest one at which no order is stored."""
    placed = and_(orders.c.project_id == project_id, orders.c.position.is_not(None))
    with store.read() as connection:
        count, highest = connection.execute(
            select(func.count(orders.c.position.distinct()), func.max(orders.c.position)).where(placed)
        ).one()
        if highest is None or count == highest + 1:
            return []
        known = set(connection.execute(select(orders.c.position).where(placed)).scalars())
    return [position for position in range(highest) if position not in known]


def launch_order(store: Store, project_id: int) -> list[str]:
    """Return the ids of a project's deployments, the first launched first."""
    query = select(deployments.c.deploy_id).where(deployments.c.project_id == project_id)
    launched = func.coalesce(deployments.c.launched_at, deployments.c.observed_at)
    with store.read() as connection:
        return list(connection.execute(query.order_by(launched, deployments.c.deploy_id)).scalars())


def trading_complete_at(store: Store, deploy_ids: Sequence[str]) -> dict[str, datetime]:
    """Return when the last complete harvest of each deployment's trading began; others are missing."""
    found: dict[str, datetime] = {}
    known = deployments.c
    with store.read() as connection:
        for ids in _pieces(deploy_ids):
            query = select(known.deploy_id, known.trading_complete_at).where(known.deploy_id.in_(ids))
            rows = connection.execute(query.where(known.trading_complete_at.is_not(None)))
            found.update((row.deploy_id, row.trading_complete_at) for row in rows)
    return found


def save_trading_complete(store: Store, deploy_ids: Sequence[str], began_at: datetime) -> None:
    """Note that all trading of these deployments was read by a harvest that began at *began_at*."""
    known = deployments.c
    earlier = known.trading_complete_at.is_(None) | (known.trading_complete_at < began_at)

    def save(connection: Connection) -> None:
        for deploy_id in sorted(deploy_ids):
            statement = update(deployments).where(known.deploy_id == deploy_id, earlier)
            connection.execute(statement.values(trading_complete_at=began_at))

    store.write(save)


def save_orders(
    store: Store, order_rows: Sequence[Row], fill_rows: Sequence[Row], settled: Collection[OrderKey] = ()
) -> tuple[Kept, Kept]:
    """Store orders of one project and their fills in one transaction.

    :param settled: the orders whose fills are all in *fill_rows*: what else is stored of them is removed.
    """
    same_fills = _same_orders(fills, fill_rows)

    def save(connection: Connection) -> tuple[Kept, Kept]:
        _lock(connection, order_rows[0]["project_id"])
        kept = _keep(connection, orders, order_rows, _same_orders(orders, order_rows))
        _remove_others(connection, fill_rows, settled, same_fills)
        return kept, _keep(connection, fills, fill_rows, same_fills)

    found: tuple[Kept, Kept] = store.write(save)
    return found


def unplace_orders(store: Store, project_id: int, began_at: datetime) -> int:
    """Take the position of the orders that were not seen since a read of all orders *began_at*."""
    not_seen = and_(orders.c.position.is_not(None), orders.c.observed_at < began_at)

    def save(connection: Connection) -> int:
        _lock(connection, project_id)
        statement = update(orders).where(orders.c.project_id == project_id, not_seen)
        return connection.execute(statement.values(position=None)).rowcount

    count: int = store.write(save)
    return count


def last_trade(store: Store, project_id: int, deploy_id: str) -> tuple[int, str] | None:
    """Return position and id of a deployment's closed trade at the highest position; None without any."""
    query = select(trades.c.position, trades.c.trade_id).where(
        trades.c.project_id == project_id, trades.c.deploy_id == deploy_id, trades.c.position.is_not(None)
    )
    with store.read() as connection:
        row = connection.execute(query.order_by(trades.c.position.desc()).limit(1)).first()
        return (row.position, row.trade_id) if row else None


def has_closed_something(store: Store, deploy_id: str) -> bool:
    """Whether a deployment's fills bought and sold the same security, so that there are closed trades."""
    both = and_(func.min(fills.c.quantity) < 0, func.max(fills.c.quantity) > 0)
    query = select(fills.c.symbol).where(fills.c.deploy_id == deploy_id).group_by(fills.c.symbol).having(both)
    with store.read() as connection:
        return connection.execute(query.limit(1)).first() is not None


def save_trades(store: Store, rows: Sequence[Row]) -> Kept:
    """Store closed trades of one project."""
    same = [
        and_(trades.c.project_id == rows[0]["project_id"], trades.c.trade_id.in_(ids))
        for ids in _pieces([storable(row["trade_id"]) for row in rows])
    ]

    def save(connection: Connection) -> Kept:
        _lock(connection, rows[0]["project_id"])
        return _keep(connection, trades, rows, same)

    kept: Kept = store.write(save)
    return kept


def replace_positions(store: Store, project_id: int, rows: Sequence[Row], observed_at: datetime) -> bool:
    """Store *rows* as all that a project holds; False if what is stored was observed later."""

    def replace(connection: Connection) -> bool:
        _lock(connection, project_id)
        mine = positions.c.project_id == project_id
        newest = connection.execute(select(func.max(positions.c.observed_at)).where(mine)).scalar()
        if newest is not None and newest > observed_at:
            return False
        connection.execute(delete(positions).where(mine))
        if rows:
            # Not a plain INSERT: two names of an answer may become one when they are stored.
            connection.execute(_upsert(connection, positions), _sorted(positions, rows))
        return True

    replaced: bool = store.write(replace)
    return replaced


def _lock(connection: Connection, project_id: int) -> None:
    """Keep other harvests of this project out until the transaction ends (SQLite's transaction does)."""
    known = deployments.c
    query = select(known.deploy_id).where(known.project_id == project_id)
    connection.execute(query.order_by(known.deploy_id).with_for_update()).all()


def _stored_orders(project_id: int) -> Any:
    known = orders.c
    return select(known.position, known.deploy_id, known.order_id, known.observed_at).where(
        known.project_id == project_id, known.position.is_not(None)
    )


def _same_orders(table: Table, rows: Sequence[Row]) -> list[ColumnElement[bool]]:
    """Return conditions that find what is stored of the orders in *rows*: a range for each deployment."""
    ranges: dict[tuple[int, str], tuple[int, int]] = {}
    for row in rows:
        key, number = (row["project_id"], storable(row["deploy_id"])), row["order_id"]
        low, high = ranges.get(key, (number, number))
        ranges[key] = (min(low, number), max(high, number))
    return [
        and_(
            table.c.project_id == project_id,
            table.c.deploy_id == deploy_id,
            table.c.order_id.between(low, high),
        )
        for (project_id, deploy_id), (low, high) in ranges.items()
    ]


def _remove_others(
    connection: Connection, rows: Sequence[Row], settled: Collection[OrderKey], same: Conditions
) -> None:
    """Remove fills of settled orders that are not in *rows*: an older answer gave them another id."""
    mine = {(storable(row["deploy_id"]), row["order_id"], row["event_id"]) for row in rows}
    names = ("project_id", "deploy_id", "order_id", "event_id")
    for condition in same:
        older = and_(condition, fills.c.observed_at <= rows[0]["observed_at"])
        for stored in connection.execute(select(*(fills.c[name] for name in names)).where(older)).all():
            _, deploy_id, order_id, event_id = stored
            if (deploy_id, order_id) in settled and (deploy_id, order_id, event_id) not in mine:
                this = (fills.c[name] == value for name, value in zip(names, stored, strict=True))
                connection.execute(delete(fills).where(*this))


def _keep(connection: Connection, table: Table, rows: Sequence[Row], same: Conditions) -> Kept:
    """Insert the rows that are new, and replace what is stored where it is different and not newer.

    :param same: conditions that together find everything that is stored under the keys of *rows*.
    """
    keys = [column.name for column in table.primary_key]
    content = [column.name for column in table.c if column.name not in _NOT_CONTENT]
    stored = {
        tuple(row[name] for name in keys): row
        for condition in same
        for row in connection.execute(select(table).where(condition)).mappings()
    }
    kept, written = Kept(), []
    for row in rows:
        known = stored.get(tuple(storable(row[name]) for name in keys))
        if known is None:
            kept.inserted += 1
        elif known["observed_at"] > row["observed_at"]:
            continue
        elif any(storable(row[name]) != known[name] for name in content):
            kept.updated += 1
        elif table is not orders:
            continue  # of an order it matters when it was last seen: it may be open
        written.append(row)
    if written:
        connection.execute(_upsert(connection, table), _sorted(table, written))
    return kept


def _upsert(connection: Connection, table: Table) -> Any:
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changing = [column.name for column in table.c if column.name not in (*keys, "first_seen_at")]
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: statement.excluded[name] for name in changing},
        where=table.c.observed_at <= statement.excluded.observed_at,
    )


def _sorted(table: Table, rows: Sequence[Row]) -> list[Row]:
    """Return *rows* by key: one order for all writers, so that none waits for another in a circle."""
    keys = [column.name for column in table.primary_key]
    return sorted(rows, key=lambda row: tuple(row[name] for name in keys))


def _pieces(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(ids), _IDS_IN_A_QUERY):
        yield ids[start : start + _IDS_IN_A_QUERY]
