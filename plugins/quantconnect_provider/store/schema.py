"""The store's tables, each column named once. How they come into being: ``migrations``."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

# SQLite has no times: ISO text in UTC, of one width so that it sorts, and with the zone so that
# SQLAlchemy, pandas and datetime.fromisoformat read it back as aware UTC.
_SQLITE_TIME = sqlite.DATETIME(  # type: ignore[no-untyped-call]
    storage_format="%(year)04d-%(month)02d-%(day)02d %(hour)02d:%(minute)02d:%(second)02d"
    ".%(microsecond)06d+00:00"
)
Time = DateTime(timezone=True).with_variant(_SQLITE_TIME, "sqlite")
Json = JSON().with_variant(postgresql.JSONB(), "postgresql")

NEVER_EXPIRES = "2050-01-01 00:00:00+00:00"
"""Insights that close in or after this year never expire (LEAN's end of time is 2050-12-31)."""

EXPIRING = text(f"closes_at < '{NEVER_EXPIRES}'")
"""The condition of the index that finds expiring insights; a query must repeat it word for word."""
UNEXPIRING = text(f"(closes_at IS NULL OR closes_at >= '{NEVER_EXPIRES}')")
"""The opposite of :data:`EXPIRING`."""

metadata = MetaData()

insights = Table(
    "quantconnect_insights",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("insight_id", Text, primary_key=True),
    Column("deploy_id", Text, nullable=False),
    Column("position", Integer),
    Column("generated_at", Time),
    Column("closes_at", Time),
    Column("symbol", Text),
    Column("ticker", Text),
    Column("insight_type", Text),
    Column("direction", Text),
    Column("period_seconds", Double),
    Column("magnitude", Double),
    Column("confidence", Double),
    Column("weight", Double),
    Column("reference_value", Double),
    Column("reference_value_final", Double),
    Column("score_is_final", Boolean),
    Column("score_direction", Double),
    Column("score_magnitude", Double),
    Column("estimated_value", Double),
    Column("source_model", Text),
    Column("group_id", Text),
    Column("tag", Text),
    Column("extra", Json, nullable=False),
    Column("first_seen_at", Time, nullable=False),
    Column("observed_at", Time, nullable=False),
    Index("quantconnect_insights_position", "deploy_id", "position"),
    # Which insights of a project were read since a moment, and how many it has.
    Index("quantconnect_insights_observed", "project_id", "observed_at"),
    Index(
        "quantconnect_insights_closing",
        "deploy_id",
        "closes_at",
        sqlite_where=EXPIRING,
        postgresql_where=EXPIRING,
    ),
    Index(
        "quantconnect_insights_unexpiring",
        "deploy_id",
        "generated_at",
        sqlite_where=UNEXPIRING,
        postgresql_where=UNEXPIRING,
    ),
)


def _key(column: Column[str | None]) -> ColumnElement[str]:
    """Return the text as its index holds it: empty for null, and short enough for PostgreSQL's indexes."""
    return func.coalesce(
        func.substr(column, literal_column("1"), literal_column("200")), literal_column("''")
    )


SOURCE_MODEL = _key(insights.c.source_model)
"""The first 200 characters of the name of an insight's model; empty if it has none."""
TICKER = _key(insights.c.ticker)
"""An insight's ticker, likewise."""
Index("quantconnect_insights_series", insights.c.project_id, SOURCE_MODEL, TICKER)

deployments = Table(
    "quantconnect_deployments",
    metadata,
    Column("deploy_id", Text, primary_key=True),
    Column("project_id", BigInteger, nullable=False, index=True),
    Column("project_name", Text),
    Column("status", Text),
    Column("brokerage", Text),
    Column("launched_at", Time),
    Column("stopped_at", Time),
    Column("observed_at", Time, nullable=False),
    # The resume state: the last row whose position is known, ...
    Column("last_position", Integer),
    Column("last_insight_id", Text),
    # ... when the last harvest that read to the end, and the last that read everything, began, ...
    Column("complete_at", Time),
    Column("full_at", Time),
    # ... since when nothing can change any more, and the largest page that the API accepts.
    Column("settled_at", Time),
    Column("page_size", Integer),
    # When the last harvest of orders, trades and positions that read all of them began.
    Column("trading_complete_at", Time),
)

harvests = Table(
    "quantconnect_harvests",
    metadata,
    Column("harvest_id", Text, primary_key=True),
    Column("project_id", BigInteger, nullable=False, index=True),
    Column("deploy_id", Text, nullable=False),
    Column("run_id", Text, index=True),
    Column("started_at", Time, nullable=False),
    Column("finished_at", Time),
    Column("requests", Integer, nullable=False),
    Column("read", Integer, nullable=False),
    Column("inserted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("error", Text),
    # How often the harvest has committed, and how many of these commits the scorecards hold.
    Column("commits", Integer, nullable=False, server_default="0"),
    Column("commits_in_scorecards", Integer, nullable=False, server_default="0"),
)

api_pace = Table(
    "quantconnect_api_pace",
    metadata,
    Column("pace_key", Text, primary_key=True),
    # The moment from which slots for requests, or one export of a log, are free, in seconds since 1970 on the
    # database's clock.
    Column("free_at", Double, nullable=False),
)
