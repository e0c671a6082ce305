"""Brings the store's tables to the version that this package needs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from quantconnect_provider.client.errors import InvalidSettingError

log = logging.getLogger(__name__)

_MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = max(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))[:4]
"""The newest version: migrations are named by their number."""
VERSION_TABLE = "quantconnect_alembic_version"  # the store may share a database with Airflow's own tables
_LOCK = 0x5143_4856  # any number that no other application is likely to lock


def upgrade(engine: Engine) -> None:
    """Create or upgrade the tables; costs one query when there is nothing to do.

    Safe to run from many processes at once: SQLite's write lock, and an advisory lock on PostgreSQL, let one
    of them do it while the others wait.

    :raises InvalidSettingError: if a newer release of this package has upgraded the tables already.
    """
    with engine.connect().execution_options(quantconnect_read=True) as connection:
        if version(connection) == HEAD:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a new index may take long
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if version(connection) != HEAD:
            _run_alembic(connection)


def version(connection: Connection) -> str | None:
    """Return the version of the store's tables; None where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  # nosec B608
    return str(found) if found else None


def _run_alembic(connection: Connection) -> None:
    # Imported here: most runs find the tables as they should be, and Alembic takes long to import.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    try:
        with _quiet_alembic():
            command.upgrade(config, "head")
    except CommandError as error:
        raise InvalidSettingError(
            f"The store's tables have version {version(connection)!r}, which this release does not know.",
            advice="A newer release of airflow-provider-quantconnect wrote them: install that one again.",
        ) from error
    log.info("The store's tables are at version %s.", HEAD)


@contextmanager
def _quiet_alembic() -> Iterator[None]:
    """Keep Alembic's line for each migration out of the task log; ours says which version came of them."""
    theirs = logging.getLogger("alembic.runtime.migration")
    level = theirs.level
    theirs.setLevel(logging.WARNING)
    try:
        yield
    finally:
        theirs.setLevel(level)
