"""Tables of the watch: each deployment's equity, what the watch knows of it, and what happened to it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, Table, Text

from quantconnect_provider.store.schema import Json, Time, metadata

equity = Table(
    "quantconnect_equity",
    metadata,
    Column("deploy_id", Text, primary_key=True),
    Column("observed_at", Time, primary_key=True),
    Column("project_id", BigInteger, nullable=False),
    Column("status", Text),
    # In the account's currency.
    Column("equity", Double),
    Column("unrealized", Double),
    Column("holdings", Double),
    Column("net_profit", Double),
    Column("fees", Double),
    Column("volume", Double),
    # As a fraction: 0.05 is 5 %.
    Column("return_fraction", Double),
    Column("sharpe_probability", Double),
)

events = Table(
    "quantconnect_events",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("project_id", BigInteger, nullable=False),
    Column("deploy_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("detail", Json, nullable=False),
    Column("opened_at", Time, nullable=False),
    Column("resolved_at", Time),
    Column("observed_at", Time, nullable=False),
    # When it was delivered, how often that was tried, and what a policy did about it.
    Column("notified_at", Time),
    Column("notify_attempts", Integer, nullable=False, server_default="0"),
    Column("notify_tried_at", Time),
    # The names of the notifiers that have delivered it.
    Column("delivered_to", Json),
    Column("action", Text),
    Column("acted_at", Time),
    Column("action_run_id", Text),
    Index("quantconnect_events_deployment", "deploy_id", "kind", "opened_at"),
    Index("quantconnect_events_open", "resolved_at", "opened_at"),
)
"""One open event for each deployment and kind: ``event_id`` is made of them and a running number."""

watched = Table(
    "quantconnect_watched",
    metadata,
    Column("deploy_id", Text, primary_key=True),
    Column("project_id", BigInteger, nullable=False),
    # As the last cycle saw it.
    Column("status", Text, nullable=False),
    Column("observed_at", Time, nullable=False),
    # Whether it ran before the first cycle, or this Airflow asked for it.
    Column("is_known", Boolean, nullable=False),
    Column("equity", Double),
    Column("peak_equity", Double),
    Column("security_types", Text),
    # When equity, log or insights last changed.
    Column("alive_at", Time),
    # How far the project's log and the deployment's insights were read, and when.
    Column("log_line", Integer),
    Column("insights", Integer),
    Column("log_read_at", Time),
    Column("insights_read_at", Time),
    Column("statistics_read_at", Time),
)
"""What the next cycle of the watch compares with; one row for each deployment that it has seen."""

live_requests = Table(
    "quantconnect_live_requests",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("requested_at", Time, primary_key=True),
    Column("action", Text, primary_key=True),
    # Null until the deployment is known that the request was about.
    Column("deploy_id", Text),
    Column("run_id", Text),
    Index("quantconnect_live_requests_deployment", "deploy_id"),
)
"""What this Airflow asked QuantConnect to do: ``deploy``, ``stop`` or ``liquidate``."""
