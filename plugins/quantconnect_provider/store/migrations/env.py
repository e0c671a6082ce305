"""Runs the migrations on the connection that the store passes; the store holds the lock."""

from __future__ import annotations

from alembic import context

from quantconnect_provider.store import scorecard_tables, trading_tables, watch_tables  # noqa: F401 - register
from quantconnect_provider.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()
