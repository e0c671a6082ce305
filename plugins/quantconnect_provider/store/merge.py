"""Merges what was read into the store within one transaction, so that the store only gets better.

Several harvests of a deployment may run at once, and a slow one may come with old answers. What decides is
never who they are, only what they read and when:

* A row replaces a stored one only if it was asked for later.
* Positions are believed only if they continue or repeat what is stored. Where they contradict it, the later
  answer wins: it takes the position and all behind it, and the rows that stood there keep everything but
  their position. The earlier answer is turned away, and its harvest looks again.
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
    """What became of a unit.

    :param applied: False if what is stored contradicts it and is newer, or does not reach up to it; then
        nothing of it was stored.
    """

    applied: bool
    inserted: int = 0
    updated: int = 0


@dataclass
class _Fit:
    """How a unit fits to what is stored."""

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
        """Merge *units*, of one deployment each, and return what became of each."""
        states = self._lock(units)
        parameters = self._stage(units)
        differences = self._differences(units, states, parameters)
        verdicts = [self._judge(unit, states[unit.deploy_id], differences) for unit in units]
        fitting = [unit for unit, verdict in zip(units, verdicts, strict=True) if verdict.fits]
        if len(fitting) < len(units):
            parameters = self._stage(fitting)
        for unit, verdict in zip(units, verdicts, strict=True):
            if verdict.unplace_from is not None and verdict.fits:
                self._connection.execute(
                    self._statements.unplace, {"deployment": unit.deploy_id, "first": verdict.unplace_from}
                )
        counts = self._write_rows(fitting, parameters)
        outcomes = [
            CommitResult(True, *counts.get(unit.deploy_id, (0, 0))) if verdict.fits else CommitResult(False)
            for unit, verdict in zip(units, verdicts, strict=True)
        ]
        self._save(units, verdicts, outcomes)
        return outcomes

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
        records = [record for unit in units for record in unit.records]
        return self._staging.load(self._connection, records) if records else {}

    def _differences(
        self, units: Sequence[CommitUnit], states: dict[str, ResumeState], parameters: dict[str, Any]
    ) -> dict[str, list[tuple[int, bool]]]:
        """Return where another insight is stored, by deployment: position, and whether it was seen later."""
        if not any(
            chunk.ids and chunk.start <= _last(states[unit.deploy_id])
            for unit in units
            for chunk in unit.chunks
        ):
            return {}
        found: dict[str, list[tuple[int, bool]]] = {}
        for deploy_id, position, newer in self._connection.execute(self._statements.differences, parameters):
            found.setdefault(deploy_id, []).append((position, bool(newer)))
        return found

    def _judge(
        self, unit: CommitUnit, stored: ResumeState, differences: dict[str, list[tuple[int, bool]]]
    ) -> _Fit:
        verdict = _Fit(replace(stored))
        for chunk in unit.chunks:
            different = next(
                (
                    found
                    for found in differences.get(unit.deploy_id, ())
                    if chunk.start <= found[0] <= chunk.end
                ),
                None,
            )
            if verdict.unplace_from is not None and different:
                different = None  # already taken away from there
            if not self._continues(chunk, verdict.state, different):
                verdict.fits = False
                break
            if different:
                verdict.unplace_from = different[0]
                verdict.state.last_position = different[0] - 1
            self._advance(chunk, verdict)
        return verdict

    def _continues(self, chunk: RowRun, state: ResumeState, different: tuple[int, bool] | None) -> bool:
        """Whether the chunk follows from what is stored, and is not older where it differs."""
        if chunk.start > _last(state) + 1:
            return False
        if chunk.start == _last(state) + 1 and chunk.anchor_id not in (None, state.last_insight_id):
            return False
        if different is None:
            return True
        position, stored_is_newer = different
        if stored_is_newer or chunk.is_window:
            return False
        if position > chunk.start or chunk.start == 0:
            return True
        return chunk.anchor_id is not None and chunk.anchor_id == self._id_at(
            state.deploy_id, chunk.start - 1
        )

    def _advance(self, chunk: RowRun, verdict: _Fit) -> None:
        """Move the last known position on, or back where the list has become shorter."""
        state = verdict.state
        if chunk.ids and chunk.end > _last(state):
            state.last_position, state.last_insight_id = chunk.end, chunk.ids[-1]
        if not chunk.at_end or chunk.end >= _last(state):
            return
        behind = self._connection.execute(
            select(insights.c.observed_at)
            .where(insights.c.deploy_id == state.deploy_id, insights.c.position > chunk.end)
            .order_by(insights.c.position)
            .limit(1)
        ).scalar()
        if behind is not None and chunk.ended_at is not None and behind > chunk.ended_at:
            return  # stored by a harvest that looked later: the list has grown since
        verdict.unplace_from = min(verdict.unplace_from or chunk.end + 1, chunk.end + 1)
        state.last_position = chunk.end if chunk.end >= 0 else None
        state.last_insight_id = chunk.ids[-1] if chunk.ids else chunk.anchor_id

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
        read = {unit.deploy_id: rows for unit in units if (rows := sum(len(c.ids) for c in unit.chunks))}
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
        """Do the same for one deployment, where the database counts itself; new rows are looked at once."""
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
        self, units: Sequence[CommitUnit], verdicts: Sequence[_Fit], outcomes: Sequence[CommitResult]
    ) -> None:
        """Write the resume states and the harvests' records."""
        states, records = [], []
        for unit, verdict, outcome in zip(units, verdicts, outcomes, strict=True):
            if outcome.applied:
                record = vars(unit.record).copy()
                record["inserted"] += outcome.inserted
                record["updated"] += outcome.updated
                records.append(record)
                states.append(_state_row(unit, verdict.state))
        if states:
            self._connection.execute(self._statements.save_state, states)
            self._connection.execute(self._statements.save_harvest, records)


def _last(state: ResumeState) -> int:
    return -1 if state.last_position is None else state.last_position


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
