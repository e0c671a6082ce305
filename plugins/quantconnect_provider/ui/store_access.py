"""The page's way to the store: read only, one engine in each API server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.hooks.store import QuantConnectStoreHook
from quantconnect_provider.store.database import open_engine
from quantconnect_provider.store.migrate import HEAD, version

log = logging.getLogger(__name__)

_ADDRESS_SECONDS = 60.0


class StoreUnavailableError(Exception):
    """The store cannot be read; the text is for the page and names no secret."""


class _Access:
    """The engine for the store's present address, which is looked up at most once a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._address: URL | None = None
        self._looked_up_at = float("-inf")
        self._engine: Engine | None = None

    def engine(self) -> Engine | None:
        """Return the engine; None while there is no store."""
        with self._lock:
            if time.monotonic() - self._looked_up_at > _ADDRESS_SECONDS:
                address = QuantConnectStoreHook().get_conn()
                if address != self._address:
                    self._forget()
                self._address, self._looked_up_at = address, time.monotonic()
            if self._engine is None:
                self._engine = _open(self._address)
            return self._engine

    def _forget(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine = None

    def reset(self) -> None:
        """Look the address up anew at the next use."""
        with self._lock:
            self._forget()
            self._looked_up_at = float("-inf")


access = _Access()


def _open(address: URL | None) -> Engine | None:
    """Open the store if its tables are there; reading never makes or upgrades them."""
    if address is None or _is_missing_file(address):
        return None
    engine = open_engine(address)
    with engine.connect().execution_options(quantconnect_read=True) as connection:
        found = version(connection)
    if found == HEAD:
        return engine
    engine.dispose()
    if found is None:
        return None
    raise StoreUnavailableError(
        f"The store's tables have version {found}, this release reads {HEAD}. "
        "The next harvest upgrades them, unless a newer release wrote them."
    )


def _is_missing_file(address: URL) -> bool:
    return address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file()


@contextmanager
def reading() -> Iterator[Connection | None]:
    """Give a connection for queries; None while nothing was harvested yet.

    :raises StoreUnavailableError: when the store cannot be reached or read.
    """
    try:
        engine = access.engine()
        if engine is None:
            yield None
            return
        with engine.connect().execution_options(quantconnect_read=True) as connection:
            yield connection
    except QuantConnectError as error:
        raise StoreUnavailableError(str(error)) from error
    except SQLAlchemyError as error:
        # The driver's text may hold an address; the log is for those who run Airflow.
        log.warning("The store cannot be read: %s", error)
        raise StoreUnavailableError("The store cannot be read now; the API server's log says why.") from error
