"""What a task must remember after its process dies: a small JSON document under a key.

The deployment logic notes each step *before* it acts, so that the next attempt of the same task knows what
may have happened. Ids, times and digests only; never a secret.
"""

from __future__ import annotations

import json
from typing import Any, Protocol


class TaskNotes(Protocol):
    """Durable storage of one task instance, kept over retries and clears."""

    def get(self, key: str) -> Any:
        """Return the JSON value noted under *key*, or None."""

    def set(self, key: str, value: Any) -> None:
        """Note the JSON *value* under *key*; when this returns, it must survive the process."""


class MemoryNotes:
    """Notes in memory, for tests and scripts: they last only as long as the process."""

    def __init__(self) -> None:
        self._notes: dict[str, str] = {}

    def get(self, key: str) -> Any:
        """Return the JSON value noted under *key*, or None."""
        note = self._notes.get(key)
        return None if note is None else json.loads(note)

    def set(self, key: str, value: Any) -> None:
        """Note the JSON *value* under *key*."""
        self._notes[key] = json.dumps(value)
