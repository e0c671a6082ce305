"""Opens the store's database, a SQLite file or PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.store.store_errors import StoreError
from quantconnect_provider.store.text import storable_parameters, to_json

# How long SQLite itself waits for a lock; a store goes on waiting and says so in the log.
_BUSY_SECONDS = 5
_CONNECT_SECONDS = 10
# Far more than any statement of a harvest takes. When a worker's host disappears, PostgreSQL ends its session
# after this time; until then its locks keep every retry waiting.
_STATEMENT_SECONDS = 600
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}",
    "PRAGMA synchronous = NORMAL",  # safe with WAL: after a power cut the last commits may be missing, whole
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -8000",  # KiB
)


def open_engine(url: str | URL) -> Engine:
    """Return an engine for *url*; makes the folder of a SQLite file.

    In every statement, text and JSON that the database cannot hold is made storable. On SQLite every
    transaction takes the write lock when it begins, so that none fails half-way, except on connections with
    the execution option ``quantconnect_read``.

    :raises InvalidSettingError: if the address is none, or its database is neither SQLite nor PostgreSQL.
    :raises StoreError: if the folder of a SQLite file cannot be made.
    """
    address = checked_address(url)
    engine = _open_sqlite(address) if address.get_backend_name() == "sqlite" else _open_postgres(address)

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def make_storable(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> tuple[str, Any]:
        return statement, storable_parameters(parameters)

    return engine


def checked_address(url: str | URL) -> URL:
    """Return the address as SQLAlchemy takes it; ``str()`` of it hides the password.

    :raises InvalidSettingError: if it is none, or its database is neither SQLite nor PostgreSQL.
    """
    try:
        text = url if isinstance(url, URL) else url.replace("postgres://", "postgresql://", 1)
        address = make_url(text)
        name = address.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise InvalidSettingError(
            "The store's address cannot be read.",
            advice="Write it like sqlite:////absolute/path.db or postgresql://user:password@host/database.",
        ) from error
    if name in ("postgresql", "postgres"):
        return address.set(drivername="postgresql+psycopg")
    if name == "sqlite":
        return address
    raise InvalidSettingError(
        f"The store's address names a {name} database.", advice="Use SQLite or PostgreSQL."
    )


def _open_postgres(address: URL) -> Engine:
    """Open a PostgreSQL database; what the address itself says about timeouts holds."""
    if "connect_timeout" not in address.query:
        address = address.update_query_dict({"connect_timeout": str(_CONNECT_SECONDS)})
    try:
        engine = create_engine(address, pool_pre_ping=True, json_serializer=to_json)
    except ModuleNotFoundError as error:
        raise InvalidSettingError(
            "The store is a PostgreSQL database, but its driver psycopg is not installed.",
            advice="pip install 'airflow-provider-quantconnect[postgres]'",
        ) from error
    if "options" not in address.query:

        @event.listens_for(engine, "connect")
        def limit(connection: Any, _record: Any) -> None:
            for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(f"SET {setting} = '{_STATEMENT_SECONDS}s'")
            connection.commit()

    return engine


def _open_sqlite(address: URL) -> Engine:
    if address.database and address.database != ":memory:":
        _make_folder(Path(address.database).expanduser().parent)
    engine = create_engine(address, connect_args={"timeout": _BUSY_SECONDS}, json_serializer=to_json)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not inside the driver
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("quantconnect_read", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    _use_write_ahead_log(engine)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = StoreError(
            f"The store's folder {folder} cannot be made: {error.strerror}.",
            advice="Let the user that runs the task write there, or name another file for the store.",
        )
        found.retryable = False
        raise found from error


def _use_write_ahead_log(engine: Engine) -> None:
    """Let readers and one writer work side by side. The file remembers it; switching needs it alone."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            with closing(engine.raw_connection()) as raw:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.Error as error:
            # SQLite does not wait by itself here when another process switches at the same moment.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise OperationalError("PRAGMA journal_mode", None, error) from error
            time.sleep(0.05)
