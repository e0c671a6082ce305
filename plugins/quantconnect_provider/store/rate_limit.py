"""Slots for requests, in the store's database: one sequence for all workers of an account.

The database's clock alone decides when a slot is, and workers get only the time until then, so their clocks
may differ. When a worker dies, the slots of its last lease pass unused; nothing has to be cleaned up.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import threading
import time
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.client.throttle import LocalSlots, RequestSlots
from quantconnect_provider.store.database import open_engine
from quantconnect_provider.store.lease import Lease, LeaseSize
from quantconnect_provider.store.migrate import upgrade

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 5
_LOCAL_SECONDS = 60.0  # how long this worker goes by itself before it tries the database again
_LONGEST_QUEUE_SECONDS = 900.0  # no queue is longer, unless the database's clock was set back
CLOCK = {  # seconds since 1970, not the beginning of the transaction: it may have waited for a lock
    "postgresql": "extract(epoch from clock_timestamp())",
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
}
_LEAST = {"postgresql": "least", "sqlite": "min"}
_GREATEST = {"postgresql": "greatest", "sqlite": "max"}


def rate_limit_key(base_url: str, user_id: str) -> str:
    """Return the name under which all workers find an account's slots; it reveals nothing."""
    return hashlib.sha256(f"{base_url.rstrip('/')}\n{user_id}".encode()).hexdigest()[:32]


def shared_slots(store: str | URL, key: str) -> SharedSlots:
    """Return this process's slots for a store and a key; all clients of a process share them.

    :param store: SQLAlchemy address of the store.
    :param key: as :func:`rate_limit_key` makes it.
    """
    return _slots_of(os.getpid(), make_url(store), key)


@functools.lru_cache(maxsize=64)
def _slots_of(_process: int, store: URL, key: str) -> SharedSlots:
    return SharedSlots(store, key)


class SharedSlots:
    """Hands out evenly spaced slots that no other worker with the same store and key gets; thread-safe.

    Where the store cannot be reached it logs a warning and uses slots of this process alone for a minute: a
    request too many is better than none, and the API's refusals are honoured in any case.

    :param store: SQLAlchemy address of the store; opened when the first slot is asked for.
    :param key: as :func:`rate_limit_key` makes it.
    """

    def __init__(self, store: str | URL, key: str) -> None:
        self._store = store
        self._key = key
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._statement = text("")
        self._lease: Lease | None = None
        self._size = LeaseSize()
        self._local: RequestSlots = LocalSlots()
        self._local_until = 0.0

    def __repr__(self) -> str:
        return f"SharedSlots({self._key!r})"

    def reserve(self, requests_per_minute: float) -> float:
        """Take the next slot and return the seconds from now until it."""
        with self._lock:
            now = time.monotonic()
            slot = self._from_lease(now, 60.0 / requests_per_minute)
            if slot is None:
                if now < self._local_until:
                    return self._local.reserve(requests_per_minute)
                try:
                    slot = self._from_store(requests_per_minute)
                except (SQLAlchemyError, QuantConnectError) as error:
                    self._local_until = time.monotonic() + _LOCAL_SECONDS
                    log.warning(
                        "The store does not answer. For a minute this worker keeps to requests_per_minute "
                        "by itself; several workers together may exceed it: %s",
                        getattr(error, "orig", None) or error,
                    )
                    return self._local.reserve(requests_per_minute)
            self._size.used()
            return max(0.0, slot - time.monotonic())

    def close(self) -> None:
        """Close the connection to the store; the next slot opens it again."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _from_lease(self, now: float, spacing: float) -> float | None:
        if self._lease is None or self._lease.spacing < spacing * 0.999:  # made when more was allowed
            return None
        if self._lease.has_lapsed(now):
            self._size.lapsed()
        return self._lease.take(now)

    def _from_store(self, requests_per_minute: float) -> float:
        spacing = 60.0 / requests_per_minute
        slots = self._size.slots(requests_per_minute)
        values = {"key": self._key, "length": slots * spacing, "longest": _LONGEST_QUEUE_SECONDS}
        with self._open().begin() as connection:
            delay = float(connection.execute(self._statement, values).scalar_one())
        first = time.monotonic() + delay
        self._lease = Lease(first + spacing, spacing, slots - 1)
        return first

    def _open(self) -> Engine:
        if self._engine is None:
            engine = _open_for_slots(self._store)
            upgrade(engine)
            self._statement = _lease_statement(engine.dialect.name)
            self._engine = engine
        return self._engine


def _open_for_slots(store: str | URL) -> Engine:
    """Open the store for many short transactions that a power cut may lose."""
    address = make_url(store)
    if address.get_backend_name() == "sqlite":
        return open_engine(address)
    engine = open_engine(address.update_query_dict({"connect_timeout": str(_CONNECT_SECONDS)}))

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # No wait for the disk, and only a short one for the lock.
        connection.execute("SET synchronous_commit = off")
        connection.execute(f"SET statement_timeout = '{_CONNECT_SECONDS}s'")
        connection.commit()

    return engine


def _lease_statement(dialect: str) -> Any:
    """Return the statement that takes a lease and returns the seconds until it begins."""
    now, least, greatest = CLOCK[dialect], _LEAST[dialect], _GREATEST[dialect]
    start = f"{greatest}({now}, {least}(quantconnect_api_pace.free_at, {now} + :longest))"
    return text(
        "INSERT INTO quantconnect_api_pace (pace_key, free_at) "  # noqa: S608 - made of constants  # nosec B608
        f"VALUES (:key, {now} + :length) "
        f"ON CONFLICT (pace_key) DO UPDATE SET free_at = {start} + :length "
        f"RETURNING free_at - :length - {now}"
    )
