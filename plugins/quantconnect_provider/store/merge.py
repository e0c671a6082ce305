"""Merges what was read into the store within one transaction, so that newer rows are never lost.

Several harvests of a deployment may run at once, and a slow one may bring old answers. Only what they read,
and when, decides:

* A row replaces a stored one only if it was asked for later.
* Positions are believed only if they continue or repeat what is stored. Where they contradict it, the later
  answer wins: it takes the position and all that follow, and the rows that stood there keep everything but
  their position. The earlier answer is rejected, and its harvest reads again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, select

from quantconnect_provider.store.commit_unit import CommitUnit, ResumeState, RowRun
from quantconnect_provider.store.schema import deployments, insights
from quantconnect_provider.store.staging import Staging
from quantconnect_provider.store.statements import Statements

STATE_COLUMNS = tuple(deployments.c[name] for name in ResumeState.__dataclass_fields__)


@dataclass(frozen=True)
class CommitResult:
    """Whether a unit was stored, and how many rows it changed.

    :param applied: False if what is stored contradicts it and is newer, or ends before it begins; then
        nothing of it was stored.
    """

    applied: bool
    inserted: int = 0
    updated: int = 0


@dataclass
class _Fit:
    """Whether a unit fits to what is stored.

    :param state: the resume state after it.
    :param unplace_from: the position from which stored rows lose their place.
    """

    state: ResumeState
    fits: bool = True
    unplace_from: int | None = None


class Merge:
    """One transaction's work; the caller begins and commits it."""

    def __init__(self, connection: Connection, staging: Staging, statements: Statements) -> None:
        self._connection = connection
        self._staging = staging
        self._statements = statements

    def apply(self, units: Sequence[CommitUnit]) -> list[CommitResult]:
        """Merge *units*, of one deployment each, and return a result for each."""
        states = self._lock(units)
        parameters = self._stage(units)
        differences = self._differences(units, states, parameters)
        fits = [self._judge(unit, states[unit.deploy_id], differences) for unit in units]
        fitting = [unit for unit, fit in zip(units, fits, strict=True) if fit.fits]
        if len(fitting) < len(units):
            parameters = self._stage(fitting)
        for unit, fit in zip(units, fits, strict=True):
            if fit.unplace_from is not None and fit.fits:
                self._connection.execute(
                    self._statements.unplace, {"deployment": unit.deploy_id, "first": fit.unplace_from}
                )
        counts = self._write_rows(fitting, parameters)
        results = [
            CommitResult(True, *counts.get(unit.deploy_id, (0, 0))) if fit.fits else CommitResult(False)
            for unit, fit in zip(units, fits, strict=True)
        ]
        self._save(units, fits, results)
        return results

    def _lock(self, units: Sequence[CommitUnit]) -> dict[str, ResumeState]:
        """Keep other harvests of these projects out (SQLite's transaction does); returns the states."""
        projects = sorted({unit.record.project_id for unit in units})
        found = self._connection.execute(
            select(*STATE_COLUMNS)
            .where(deployments.c.project_id.in_(projects))
            .order_by(deployments.c.project_id, deployments.c.deploy_id)
            .with_for_update()
        )
        states = {row.deploy_id: ResumeState(**row._mapping) for row in found}
        return {unit.deploy_id: states.get(unit.deploy_id) or ResumeState(unit.deploy_id) for unit in units}

    def _stage(self, units: Sequence[CommitUnit]) -> dict[str, Any]:
        rows = [row for unit in units for row in unit.rows]
        return self._staging.load(self._connection, rows) if rows else {}

    def _differences(
        self, units: Sequence[CommitUnit], states: dict[str, ResumeState], parameters: dict[str, Any]
    ) -> dict[str, list[tuple[int, bool]]]:
        """Return where another insight is stored, by deployment: position, and whether it was seen later."""
        if not any(
            run.rows and run.start <= states[unit.deploy_id].last for unit in units for run in unit.row_runs
        ):
            return {}
        found: dict[str, list[tuple[int, bool]]] = {}
        for deploy_id, position, newer in self._connection.execute(self._statements.differences, parameters):
            found.setdefault(deploy_id, []).append((position, bool(newer)))
        return found

    def _judge(
        self, unit: CommitUnit, stored: ResumeState, differences: dict[str, list[tuple[int, bool]]]
    ) -> _Fit:
        fit = _Fit(replace(stored))
        for run in unit.row_runs:
            different = next(
                (found for found in differences.get(unit.deploy_id, ()) if run.start <= found[0] <= run.end),
                None,
            )
            if fit.unplace_from is not None and different:
                different = None  # already without a position
            if not self._continues(run, fit.state, different):
                fit.fits = False
                break
            if different:
                fit.unplace_from = different[0]
                fit.state.last_position = different[0] - 1
            self._advance(run, fit)
        return fit

    def _continues(self, run: RowRun, state: ResumeState, different: tuple[int, bool] | None) -> bool:
        """Whether the run follows from what is stored, and is not older where it differs."""
        if run.start > state.last + 1:
            return False
        if run.start == state.last + 1 and run.anchor_id not in (None, state.last_insight_id):
            return False
        if different is None:
            return True
        position, stored_is_newer = different
        if stored_is_newer or run.is_window:
            return False
        if position > run.start or run.start == 0:
            return True
        return run.anchor_id is not None and run.anchor_id == self._id_at(state.deploy_id, run.start - 1)

    def _advance(self, run: RowRun, fit: _Fit) -> None:
        """Move the last known position on, or back where the list has become shorter."""
        state = fit.state
        last = run.last_read or (run.start - 1, run.anchor_id)
        if last[0] > state.last:
            state.last_position, state.last_insight_id = last
        if not run.at_end or run.end >= state.last:
            return
        next_observed_at = self._connection.execute(
            select(insights.c.observed_at)
            .where(insights.c.deploy_id == state.deploy_id, insights.c.position > run.end)
            .order_by(insights.c.position)
            .limit(1)
        ).scalar()
        if next_observed_at is not None and run.ended_at is not None and next_observed_at > run.ended_at:
            return  # stored by a harvest that read later: the list has grown since
        fit.unplace_from = min(fit.unplace_from or run.end + 1, run.end + 1)
        state.last_position, state.last_insight_id = last if last[0] >= 0 else (None, None)

    def _id_at(self, deploy_id: str, position: int) -> str | None:
        found: str | None = self._connection.execute(
            select(insights.c.insight_id)
            .where(insights.c.deploy_id == deploy_id, insights.c.position == position)
            .limit(1)
        ).scalar()
        return found

    def _write_rows(
        self, units: Sequence[CommitUnit], parameters: dict[str, Any]
    ) -> dict[str, tuple[int, int]]:
        """Insert and update the staged rows; returns how many of each, by deployment."""
        read = {
            unit.deploy_id: rows for unit in units if (rows := sum(len(run.rows) for run in unit.row_runs))
        }
        if not read:
            return {}
        if len(read) == 1:
            ((deploy_id, rows),) = read.items()
            return {deploy_id: self._write_rows_of_one(rows, parameters)}
        execute = self._connection.execute
        known = {
            deploy_id: (known, changed)
            for deploy_id, known, changed in execute(self._statements.counts, parameters)
        }
        counts = {
            deploy_id: (read[deploy_id] - rows, int(changed)) for deploy_id, (rows, changed) in known.items()
        }
        if any(inserted for inserted, _ in counts.values()):
            execute(self._statements.insert, parameters)
        if any(updated for _, updated in counts.values()):
            execute(self._statements.refresh, parameters)
        if any(rows for rows, _ in known.values()):
            execute(self._statements.place, parameters)
        return counts

    def _write_rows_of_one(self, rows: int, parameters: dict[str, Any]) -> tuple[int, int]:
        """Do the same for one deployment, where the database counts itself."""
        inserted = self._changed_rows(self._statements.insert, parameters)
        if inserted == rows:
            return inserted, 0
        updated = self._changed_rows(self._statements.refresh, parameters)
        self._connection.execute(self._statements.place, parameters)
        return inserted, updated

    def _changed_rows(self, statement: Executable, parameters: dict[str, Any]) -> int:
        result = self._connection.execute(
            statement, parameters, execution_options={"preserve_rowcount": True}
        )
        return int(result.rowcount)

    def _save(
        self, units: Sequence[CommitUnit], fits: Sequence[_Fit], results: Sequence[CommitResult]
    ) -> None:
        """Write the resume states and the harvests' records."""
        states, records = [], []
        for unit, fit, result in zip(units, fits, results, strict=True):
            if result.applied:
                record = vars(unit.record).copy()
                record["inserted"] += result.inserted
                record["updated"] += result.updated
                records.append(record)
                states.append(_state_row(unit, fit.state))
        if states:
            self._connection.execute(self._statements.save_state, states)
            self._connection.execute(self._statements.save_harvest, records)


def _state_row(unit: CommitUnit, state: ResumeState) -> dict[str, Any]:
    full_at = unit.complete_at if unit.full else None
    return {
        "deployment": unit.deploy_id,
        "last_position": state.last_position,
        "last_insight_id": state.last_insight_id,
        "complete_at": _later(state.complete_at, unit.complete_at),
        "full_at": _later(state.full_at, full_at),
        "settled_at": state.settled_at or (unit.complete_at if unit.settled else None),
        "page_size": unit.page_size or state.page_size,
    }


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((time for time in (one, other) if time is not None), default=None)
