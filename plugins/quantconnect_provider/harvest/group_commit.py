"""Commits small harvests together: a thousand quiet deployments are few transactions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from quantconnect_provider.store.commit_unit import CommitUnit
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.store_errors import StoreError

log = logging.getLogger(__name__)

_ROWS = 2000
_UNITS = 100
_SECONDS = 2.0


class Job(Protocol):
    """The harvest of one deployment."""

    def run_again(self) -> CommitUnit:
        """Read again, after the store has rejected what was read."""


Done = Callable[[Job, CommitUnit, "Exception | None"], None]


class GroupCommit:
    """Collects the last units of deployments and commits them in groups.

    :param done: called for each unit after its commit, with the error if it failed.
    """

    def __init__(self, store: Store, done: Done) -> None:
        self._store = store
        self._done = done
        self._waiting: list[tuple[Job, CommitUnit]] = []
        self._rows = 0
        self._oldest = 0.0

    def add(self, job: Job, unit: CommitUnit) -> None:
        """Commit *unit* soon; at once if many rows or units wait."""
        if not self._waiting:
            self._oldest = time.monotonic()
        self._waiting.append((job, unit))
        self._rows += sum(len(run.rows) for run in unit.row_runs)
        waited = time.monotonic() - self._oldest
        if self._rows >= _ROWS or len(self._waiting) >= _UNITS or waited >= _SECONDS:
            self.flush()

    def now(self, unit: CommitUnit) -> bool:
        """Commit what waits, and then *unit*; returns whether the store took it."""
        self.flush()
        return self._store.commit([unit])[0].applied

    def flush(self) -> None:
        """Commit what waits."""
        waiting, self._waiting, self._rows = self._waiting, [], 0
        if not waiting:
            return
        try:
            results = self._store.commit([unit for _, unit in waiting])
        except StoreError as error:
            for job, unit in waiting:
                self._done(job, unit, error)
            return
        except SQLAlchemyError as error:
            if len(waiting) == 1:
                self._done(*waiting[0], error)
                return
            log.warning(
                "Committing %s deployments together failed (%s); committing them one by one.",
                len(waiting),
                type(error).__name__,
            )
            for job, unit in waiting:
                self._waiting = [(job, unit)]
                self.flush()
            return
        for (job, unit), result in zip(waiting, results, strict=True):
            if result.applied:
                self._done(job, unit, None)
            else:
                self._again(job, unit)

    def _again(self, job: Job, unit: CommitUnit) -> None:
        """Let the job read again until the store takes it; the job limits how often."""
        try:
            while not self._store.commit([unit := job.run_again()])[0].applied:
                pass
        except Exception as error:  # noqa: BLE001 - one deployment that fails stops no other
            self._done(job, unit, error)
        else:
            self._done(job, unit, None)
