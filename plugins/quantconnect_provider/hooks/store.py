"""The address of the store: the connection `quantconnect_store`, or a SQLite file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy.engine import URL

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.hooks.connection import read_extra

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_FILE = "quantconnect.db"
# What PostgreSQL's own library understands in an address; Airflow keeps other things in the same extra.
_LIBPQ_OPTIONS = frozenset({"application_name", "connect_timeout", "host", "options", "passfile", "service"})
_LIBPQ_PREFIXES = ("ssl", "keepalives", "target_session_attrs", "channel_binding", "gssenc")
_NOT_SHARED = "Without the store each worker keeps to the limits of the account by itself: %s"


class QuantConnectStoreHook(BaseHook):
    """Gives the address of the database that the harvest writes to.

    :param store_conn_id: id of a database connection; when it is not defined, the store is the SQLite file
        ``quantconnect.db`` in ``AIRFLOW_HOME``.
    """

    conn_name_attr = "store_conn_id"
    default_conn_name = "quantconnect_store"

    def __init__(self, store_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.store_conn_id = store_conn_id

    def get_conn(self) -> URL:
        """Return the store's SQLAlchemy address, password included; ``str()`` of it hides that.

        :raises InvalidSettingError: when the connection cannot be made into an address.
        """
        try:
            conn = self.get_connection(self.store_conn_id)
        except AirflowNotFoundException:
            return default_url()
        return url_from(conn)

    def find(self) -> URL | None:
        """Like :meth:`get_conn`, for callers that work without it: None, and a warning, if it is invalid."""
        try:
            return self.get_conn()
        except InvalidSettingError as error:
            self.log.warning(_NOT_SHARED, error)
            return None

    async def afind(self) -> URL | None:
        """Like :meth:`find`, for triggers: it does not block the event loop."""
        try:
            return url_from(await self.aget_connection(self.store_conn_id))
        except AirflowNotFoundException:
            return default_url()
        except InvalidSettingError as error:
            self.log.warning(_NOT_SHARED, error)
            return None


def default_url() -> URL:
    """Return the address of the SQLite file that is the store if no connection is defined."""
    home = Path(os.environ.get("AIRFLOW_HOME") or "~/airflow").expanduser().resolve()
    return URL.create("sqlite", database=str(home / DEFAULT_FILE))


def url_from(conn: Connection) -> URL:
    """Return the SQLAlchemy address for an Airflow database connection.

    :raises InvalidSettingError: when the connection names no database that can be reached through SQLAlchemy.
    """
    kind, _, driver = (conn.conn_type or "").partition("+")
    if kind == "sqlite":
        return _sqlite_url(conn)
    if kind in ("postgres", "postgresql"):
        extra = read_extra(conn)
        return URL.create(
            "postgresql" + (f"+{driver}" if driver else ""),
            username=conn.login or None,
            password=conn.password or None,
            host=conn.host or None,
            port=conn.port or None,
            database=conn.schema or None,
            query={name: str(value) for name, value in extra.items() if _is_libpq(name)},
        )
    return _url_of_its_hook(conn)


def _is_libpq(name: str) -> bool:
    return name in _LIBPQ_OPTIONS or name.startswith(_LIBPQ_PREFIXES)


def _sqlite_url(conn: Connection) -> URL:
    """Return the address of a SQLite file: Airflow puts its path into host (form) or schema (URI)."""
    path = conn.host or conn.schema or ""
    if not path.startswith("/"):
        raise InvalidSettingError(
            f"Connection {conn.conn_id}: the SQLite path {path!r} is not absolute.",
            advice="Tasks run in different directories; write it like sqlite:////absolute/path.db.",
        )
    return URL.create("sqlite", database=path)


def _url_of_its_hook(conn: Connection) -> URL:
    """Return what the type's own hook makes of it, for databases that this module does not know."""
    try:
        address = getattr(conn.get_hook(), "sqlalchemy_url", None)  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - another provider's hook may raise anything
        address, reason = None, f" ({error})"
    else:
        reason = ""
    if not isinstance(address, URL):
        raise InvalidSettingError(
            f"Connection {conn.conn_id}: type {conn.conn_type!r} gives no SQLAlchemy address{reason}.",
            advice="Use a postgres or sqlite connection for the store.",
        )
    return address
