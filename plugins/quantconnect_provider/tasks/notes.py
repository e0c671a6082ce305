"""What a deploying task must remember beyond its own death, kept in Airflow's task state store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk.execution_time.context import NEVER_EXPIRE

from quantconnect_provider.live.notes import MemoryNotes, TaskNotes

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.execution_time.context import TaskStateStoreAccessor

log = logging.getLogger(__name__)


class StateStoreNotes:
    """Notes in the task state store of one task instance; they never expire, as deployments do not."""

    def __init__(self, store: TaskStateStoreAccessor) -> None:
        self._store = store

    def get(self, key: str) -> Any:
        """Return the JSON value noted under *key*, or None."""
        return self._store.get(key)

    def set(self, key: str, value: Any) -> None:
        """Note the JSON *value* under *key*; Airflow's database has it when this returns."""
        self._store.set(key, value, retention=NEVER_EXPIRE)


def notes_of(context: Context) -> TaskNotes:
    """Return where the task of *context* keeps its notes.

    A context that Airflow did not make (a script, a unit test) has no task state store: the notes then last
    as long as the process, which is said as a warning.
    """
    store = context.get("task_state_store")
    if store is not None:
        return StateStoreNotes(store)
    log.warning("This context has no task state store: a retry will not know what this attempt has sent.")
    return MemoryNotes()
