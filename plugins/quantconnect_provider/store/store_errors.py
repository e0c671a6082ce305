"""The one error that a database raises here, with what to do, and the wait for what passes by itself."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.store.text import storable

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_LONGEST_PAUSE_SECONDS = 2.0


class StoreError(QuantConnectError):
    """The store cannot be opened, read or written. A transaction that it ended left nothing behind.

    ``passes`` says whether it may pass by itself: a lock that another program holds, a server that restarts.
    """

    retryable = True
    passes: bool = False


@dataclass(frozen=True)
class _Kind:
    """One thing that goes wrong with a database: the words that show it, and what a person can do."""

    words: str
    advice: str
    passes: bool = False
    retryable: bool = True


_KINDS = (
    _Kind(
        r"disk is full|could not extend file|no space left|disk i/o error|could not write",
        "Make room on the disk of the store's database, then run the task again: it goes on from there.",
    ),
    _Kind(
        r"readonly database|unable to open database file|permission denied",
        "Let the user that runs the task read and write the store: for SQLite the file and its folder.",
        retryable=False,
    ),
    _Kind(
        r"read-only transaction",
        "The server refuses to write: name its primary, or end its default_transaction_read_only.",
    ),
    _Kind(
        r"not a database|malformed",
        "The file is damaged or not the store's: restore it from a backup, or name another one.",
        retryable=False,
    ),
    _Kind(
        r"password authentication failed|no password supplied|(role|database) \"[^\"]*\" does not exist",
        "Check the connection of the store (quantconnect_store).",
        retryable=False,
    ),
    _Kind(
        r"is locked|is busy|deadlock|could not serialize|lock timeout",
        "Another program holds the store's lock: let it end, then run the task again.",
        passes=True,
    ),
    _Kind(
        r"server closed the connection|terminating connection|connection is (closed|lost|bad)|input failed|"
        r"connection refused|no such file or directory|starting up|shutting down|recovery mode|"
        r"not yet accepting connections|"
        r"too many (clients|connections)",
        "See that the database server runs and takes connections, then run the task again.",
        passes=True,
    ),
)


def error_of(error: DBAPIError, address: str) -> StoreError | None:
    """Return what a database's error means; None for what only a bug in this package explains.

    :param address: the store's address without its password.
    """
    said = storable(" ".join(str(error.orig).split()))
    kind = next((kind for kind in _KINDS if re.search(kind.words, said, re.IGNORECASE)), None)
    if kind is None and not isinstance(error, OperationalError):
        return None
    kind = kind or _Kind("", "See what the database says above.")
    found = StoreError(f"The store {address} cannot be used: {said.rstrip('.?')}.", advice=kind.advice)
    found.retryable, found.passes = kind.retryable, kind.passes
    return found


@contextmanager
def store_errors(address: str) -> Iterator[None]:
    """Turn a database's errors into :class:`StoreError`; bugs keep theirs."""
    try:
        yield
    except DBAPIError as error:
        found = error_of(error, address)
        if found is None:
            raise
        raise found from error


def patiently(work: Callable[[], _T], address: str, seconds: float) -> _T:
    """Do *work*, again for at most *seconds* while what stops it may pass; all work is repeatable.

    :raises StoreError: for anything else, and when the time is over.
    """
    deadline = time.monotonic() + seconds
    pause = 0.1
    while True:
        try:
            with store_errors(address):
                return work()
        except StoreError as error:
            left = deadline - time.monotonic()
            if not error.passes or left < pause:
                raise
            log.warning("%s Trying again for up to %.0f s.", error.args[0], left)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
