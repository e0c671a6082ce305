"""The statements that merge a staged batch into the tables; the same for every database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    FromClause,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from quantconnect_provider.store.insight_rows import CONTENT
from quantconnect_provider.store.schema import deployments, harvests, insights


@dataclass(frozen=True)
class Statements:
    """Statements on a staged batch, and the upserts of the small tables."""

    differences: Executable
    counts: Executable
    insert: Executable
    refresh: Executable
    place: Executable
    unplace: Executable
    save_state: Executable
    save_harvest: Executable
    save_deployment: Executable


def build_statements(dialect: str, rows: FromClause) -> Statements:
    """Build the statements for *dialect* on the staged *rows*."""
    staged, stored = rows.c, insights.c
    same_insight = and_(stored.project_id == staged.project_id, stored.insight_id == staged.insight_id)
    changed = and_(
        stored.observed_at <= staged.observed_at,
        or_(*(stored[name].is_distinct_from(staged[name]) for name in CONTENT)),
    )
    return Statements(
        differences=_differences(rows),
        counts=select(
            staged.deploy_id,
            func.count(stored.insight_id).label("known"),
            func.sum(case((changed, 1), else_=0)).label("changed"),
        )
        .select_from(rows.outerjoin(insights, same_insight))
        .group_by(staged.deploy_id),
        insert=_insert_new(dialect, rows),
        refresh=update(insights)
        .where(same_insight, changed)
        .values({name: staged[name] for name in (*CONTENT, "observed_at")}),
        place=update(insights)
        .where(
            same_insight,
            or_(
                stored.observed_at < staged.observed_at,
                stored.position.is_distinct_from(staged.position),
                stored.deploy_id != staged.deploy_id,
            ),
        )
        .values(
            deploy_id=staged.deploy_id,
            position=staged.position,
            observed_at=case(
                (stored.observed_at < staged.observed_at, staged.observed_at), else_=stored.observed_at
            ),
        ),
        unplace=update(insights)
        .where(stored.deploy_id == bindparam("deployment"), stored.position >= bindparam("first"))
        .values(position=None),
        save_state=update(deployments)
        .where(deployments.c.deploy_id == bindparam("deployment"))
        .values(
            {
                name: bindparam(name)
                for name in (
                    "last_position",
                    "last_insight_id",
                    "complete_at",
                    "full_at",
                    "settled_at",
                    "page_size",
                )
            }
        ),
        save_harvest=_save_harvest(dialect),
        save_deployment=_save_deployment(dialect),
    )


def _insert(dialect: str, table: Any) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _differences(rows: FromClause) -> Executable:
    """Where another insight is stored at the position of a staged one."""
    staged, stored = rows.c, insights.c
    return (
        select(
            staged.deploy_id,
            staged.position,
            (stored.observed_at > staged.observed_at).label("stored_is_newer"),
        )
        .select_from(rows)
        .join(insights, and_(stored.deploy_id == staged.deploy_id, stored.position == staged.position))
        .where(stored.insight_id != staged.insight_id)
        .order_by(staged.deploy_id, staged.position)
    )


def _insert_new(dialect: str, rows: FromClause) -> Executable:
    new: Any = select(*rows.c).where(true())
    if dialect == "postgresql":
        new = new.order_by(rows.c.project_id, rows.c.insight_id)  # one order for all: no deadlock
    statement: Executable = (
        _insert(dialect, insights)
        .from_select([column.name for column in rows.c], new)
        .on_conflict_do_nothing()
    )
    return statement


def _save_harvest(dialect: str) -> Executable:
    statement = _insert(dialect, harvests).values(commits=1)
    final: dict[str, Any] = {
        name: statement.excluded[name]
        for name in ("finished_at", "requests", "read", "inserted", "updated", "status", "error")
    }
    final["commits"] = harvests.c.commits + 1
    saved: Executable = statement.on_conflict_do_update(index_elements=["harvest_id"], set_=final)
    return saved


def _save_deployment(dialect: str) -> Executable:
    """Store what live/list said, unless something later is stored; a restart ends being settled."""
    statement = _insert(dialect, deployments)
    new = statement.excluded
    known: dict[str, ColumnElement[Any]] = {
        name: new[name] for name in ("project_id", "status", "launched_at", "stopped_at", "observed_at")
    }
    for name in ("project_name", "brokerage"):  # not every answer holds them
        known[name] = func.coalesce(func.nullif(new[name], ""), deployments.c[name])
    known["settled_at"] = case(
        (deployments.c.stopped_at.is_distinct_from(new.stopped_at), None), else_=deployments.c.settled_at
    )
    saved: Executable = statement.on_conflict_do_update(
        index_elements=["deploy_id"], set_=known, where=deployments.c.observed_at <= new.observed_at
    )
    return saved
