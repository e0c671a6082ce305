"""Exports of logs, counted in the store's database: one count for all workers of an account.

A row of ``quantconnect_api_pace`` for each export that is allowed at a time says from when on it may be made
again. The database's clock alone decides, so the workers' clocks may differ.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.log_exports import LOG_EXPORT_SECONDS, LOG_EXPORTS, LocalLogExports
from quantconnect_provider.store.database import open_engine
from quantconnect_provider.store.migrate import upgrade
from quantconnect_provider.store.rate_limit import CLOCK

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine import URL

log = logging.getLogger(__name__)

_MARGIN_SECONDS = 60.0  # the request may reach QuantConnect later than it was counted
_SKIP_LOCKED = {"postgresql": "FOR UPDATE SKIP LOCKED", "sqlite": ""}  # SQLite has one writer at a time


class SharedLogExports:
    """Hands out exports of logs; no more than 45 in 30 minutes to all workers with the same store and key.

    Where the store cannot be reached it logs a warning and counts its own exports alone.

    :param store: SQLAlchemy address of the store; opened for each export.
    :param key: as :func:`~quantconnect_provider.store.rate_limit.rate_limit_key` makes it.
    """

    def __init__(self, store: str | URL, key: str) -> None:
        self._store = store
        self._key = key
        self._local = LocalLogExports()

    def take(self) -> float:
        """Take one export, and return 0; if none is left, return the seconds until one is."""
        try:
            engine = open_engine(self._store)
            try:
                upgrade(engine)
                with engine.begin() as connection:
                    return _take(connection, self._key)
            finally:
                engine.dispose()
        except (SQLAlchemyError, InvalidSettingError) as error:
            log.warning(
                "The store does not answer, so this worker counts its exports of logs by itself; several "
                "workers together may exceed what QuantConnect allows: %s",
                getattr(error, "orig", None) or error,
            )
            return self._local.take()


def _take(connection: Connection, key: str) -> float:
    now = CLOCK[connection.dialect.name]
    seconds = LOG_EXPORT_SECONDS + _MARGIN_SECONDS
    names = [f"{key}:log-export:{number:02}" for number in range(LOG_EXPORTS)]
    values: dict[str, Any] = {"first": names[0], "last": names[-1], "seconds": seconds}
    connection.execute(
        text("INSERT INTO quantconnect_api_pace VALUES (:name, 0) ON CONFLICT (pace_key) DO NOTHING"),
        [{"name": name} for name in names],
    )
    # A time that lies too far ahead comes from a clock that was set back.
    mine = "pace_key BETWEEN :first AND :last"
    is_free = f"(free_at <= {now} OR free_at > {now} + :seconds)"
    taken = connection.execute(
        text(
            f"UPDATE quantconnect_api_pace SET free_at = {now} + :seconds WHERE pace_key = ("  # noqa: S608 - made of constants  # nosec B608
            f"SELECT pace_key FROM quantconnect_api_pace WHERE {mine} AND {is_free} "
            f"ORDER BY free_at LIMIT 1 {_SKIP_LOCKED[connection.dialect.name]}) RETURNING pace_key"
        ),
        values,
    ).scalar()
    if taken is not None:
        return 0.0
    wait = text(f"SELECT min(free_at) - {now} FROM quantconnect_api_pace WHERE {mine}")  # noqa: S608 - made of constants  # nosec B608
    return max(1.0, float(connection.execute(wait, values).scalar_one()))
