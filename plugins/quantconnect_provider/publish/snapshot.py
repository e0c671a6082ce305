"""One state of the store to publish from, and one run at a time that publishes into a folder."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, func, select, text

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.store.store import Store


class PublishBusyError(QuantConnectError):
    """Another run publishes into the same folder now."""

    retryable = True
    default_advice = "Nothing was written; the next attempt or run publishes what has changed."


@contextmanager
def snapshot(store: Store, address: str) -> Iterator[Connection]:
    """Give a connection on which all queries see the same rows. It blocks no harvest.

    No other process gets one for the same *address* meanwhile. A process that is killed holds nothing back.

    :raises PublishBusyError: if another process has one.
    """
    key = hashlib.sha256(address.encode()).digest()
    busy = PublishBusyError(f"Another run is publishing to {address}.")
    database = store.engine.url.database
    if store.engine.dialect.name == "sqlite":
        with _lock_file(Path(f"{database}-publish-{key.hex()[:8]}.lock"), busy), store.read() as connection:
            yield connection
        return
    with store.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        # Publishing much takes longer than any statement of a harvest.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        # The lock ends with the transaction: a run that has lost the one cannot go on without the other.
        lock = func.pg_try_advisory_xact_lock(int.from_bytes(key[:8], "big", signed=True))
        if not connection.execute(select(lock)).scalar():
            raise busy
        yield connection


@contextmanager
def _lock_file(path: Path, busy: PublishBusyError) -> Iterator[None]:
    """Hold a lock on a file beside a SQLite database, whose users are all on one machine."""
    with path.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        yield
