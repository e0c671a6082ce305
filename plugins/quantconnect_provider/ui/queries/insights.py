"""The insights of a deployment, a window at a time.

Filtering, searching, counting and sorting need to see every insight that they are about, and a deployment may
have millions. So each answer is about one window of at most :data:`WINDOW` insights that are next to each
other in the deployment's list; an index finds it at once wherever it is. Within it everything is exact. The
next older window is one request away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    Text,
    and_,
    case,
    func,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from quantconnect_provider.store.schema import insights

WINDOW = 10_000
UNLISTED: Literal["unlisted"] = "unlisted"
"""The window of those that QuantConnect does not list any more; at most :data:`WINDOW` of them are shown."""

State = Literal["any", "open", "closed", "scored"]
SortKey = Literal[
    "generated_at",
    "closes_at",
    "ticker",
    "direction",
    "confidence",
    "magnitude",
    "weight",
    "score_direction",
    "source_model",
]
COLUMNS = (
    "insight_id",
    "generated_at",
    "closes_at",
    "symbol",
    "ticker",
    "insight_type",
    "direction",
    "magnitude",
    "confidence",
    "weight",
    "reference_value",
    "reference_value_final",
    "score_is_final",
    "score_direction",
    "score_magnitude",
    "source_model",
    "tag",
)
_DAY, _HOUR = len("2026-11-02"), len("2026-11-02 15")
_HOURS_UP_TO = timedelta(days=4)
_SEARCHED = ("ticker", "symbol", "source_model", "tag")


@dataclass(frozen=True)
class Filters:
    """What is left of a window; an empty text leaves all."""

    search: str = ""
    direction: str = ""
    model: str = ""
    state: State = "any"


@dataclass(frozen=True)
class Window:
    """Where a window lies: positions above *after* up to *upto*; *upto* None: those without a position."""

    after: int
    upto: int | None
    older: int | Literal["unlisted"] | None

    def rows(self, deploy_id: str) -> Subquery:
        """Return the window's insights."""
        table = insights.c
        query = select(*(table[name] for name in ("position", *COLUMNS))).where(table.deploy_id == deploy_id)
        if self.upto is None:
            return query.where(table.position.is_(None)).limit(WINDOW).subquery("kept")
        # No limit here: SQLite would copy the rows before it filters them.
        return query.where(table.position > self.after, table.position <= self.upto).subquery("kept")


@dataclass(frozen=True)
class InsightPage:
    """A page of one window.

    :param total: matches in the window.
    :param size: insights in the window.
    :param older: where the next older window begins; None if there is none.
    """

    rows: list[dict[str, Any]]
    total: int
    size: int
    oldest_at: datetime | None
    newest_at: datetime | None
    older: int | Literal["unlisted"] | None


def find_window(connection: Connection, deploy_id: str, before: int | Literal["unlisted"] | None) -> Window:
    """Return the window that ends at the position *before*, or the newest."""
    table = insights.c
    unlisted = select(1).where(table.deploy_id == deploy_id, table.position.is_(None)).limit(1)
    if before == UNLISTED:
        return Window(0, None, None)
    newest = connection.scalar(
        select(func.max(table.position)).where(table.deploy_id == deploy_id, table.position.is_not(None))
    )
    if newest is None:
        return Window(0, None, None)
    upto = newest if before is None else min(before, newest)
    after = upto - WINDOW
    if after >= 0:
        return Window(after, upto, after)
    return Window(after, upto, UNLISTED if connection.scalar(unlisted) else None)


def list_insights(
    connection: Connection,
    deploy_id: str,
    window: Window,
    filters: Filters,
    now: datetime,
    *,
    sort: SortKey,
    descending: bool,
    limit: int,
    offset: int,
) -> InsightPage:
    """Return one page of what *filters* leave of the window."""
    kept = window.rows(deploy_id)
    conditions = _conditions(kept.c, filters, now)
    key = kept.c[sort]
    order = [key.desc().nulls_last() if descending else key.asc().nulls_last(), kept.c.position.desc()]
    query = select(*(kept.c[name] for name in COLUMNS)).where(*conditions).order_by(*order, kept.c.insight_id)
    rows = [dict(row._mapping) for row in connection.execute(query.limit(limit).offset(offset))]
    matches = func.count(case((and_(true(), *conditions), 1)))
    total, size, oldest_at, newest_at = connection.execute(
        select(matches, func.count(), func.min(kept.c.generated_at), func.max(kept.c.generated_at))
    ).one()
    return InsightPage(rows, total, size, oldest_at, newest_at, window.older)


def count_by_time(connection: Connection, deploy_id: str, window: Window) -> list[tuple[str, str, int]]:
    """Count the window's insights by day, or by hour where it spans few days, and direction.

    Returns rows of (UTC time like ``2026-11-02`` or ``2026-11-02T15``, direction, count) in order of time.
    """
    kept = window.rows(deploy_id)
    first, last = connection.execute(
        select(func.min(kept.c.generated_at), func.max(kept.c.generated_at))
    ).one()
    if first is None:
        return []
    digits = _HOUR if last - first < _HOURS_UP_TO else _DAY
    bucket = _utc_text(connection, kept.c.generated_at, digits).label("bucket")
    direction = func.coalesce(kept.c.direction, "")
    query = (
        select(bucket, direction, func.count())
        .where(kept.c.generated_at.is_not(None))
        .group_by(bucket, direction)
        .order_by(bucket, direction)
    )
    return [(time.replace(" ", "T"), name, count) for time, name, count in connection.execute(query)]


def _utc_text(connection: Connection, column: ColumnElement[Any], digits: int) -> ColumnElement[str]:
    """Return the first *digits* characters of a time as text in UTC; SQLite keeps it as such."""
    if connection.dialect.name == "sqlite":
        return func.substr(type_coerce(column, Text), 1, digits)
    return func.substr(func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24"), 1, digits)


def _conditions(
    kept: ReadOnlyColumnCollection[str, Any], filters: Filters, now: datetime
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.search:
        found.append(or_(*(kept[name].icontains(filters.search, autoescape=True) for name in _SEARCHED)))
    if filters.direction:
        found.append(func.lower(kept.direction) == filters.direction.lower())
    if filters.model:
        found.append(kept.source_model == filters.model)
    if filters.state == "open":
        found.append(or_(kept.closes_at.is_(None), kept.closes_at > now))
    elif filters.state == "closed":
        found.append(kept.closes_at <= now)
    elif filters.state == "scored":
        found.append(kept.score_is_final.is_(True))
    return found
