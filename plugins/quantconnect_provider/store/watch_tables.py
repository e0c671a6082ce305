"""Tables of the watch: how each deployment's equity went, and what happened to it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, Table, Text

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
    Column("action", Text),
    Column("acted_at", Time),
    Column("action_run_id", Text),
    Index("quantconnect_events_deployment", "deploy_id", "kind", "opened_at"),
    Index("quantconnect_events_open", "resolved_at", "opened_at"),
)
"""One open event for each deployment and kind: ``event_id`` is made of them and a running number."""
