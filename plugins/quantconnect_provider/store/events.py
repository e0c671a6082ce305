"""The events of live deployments: each is opened once and resolved once, however many watches run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from quantconnect_provider.store.store import Store
from quantconnect_provider.store.watch_tables import events

DIED = "died"
STOPPED_ELSEWHERE = "stopped_elsewhere"
RECOVERED = "recovered"
STALE = "stale"
DRAWDOWN = "drawdown"
ZERO_EQUITY = "zero_equity"
UNKNOWN_HERE = "unknown_here"
DISCONNECTED = "disconnected"
FILLS_MISMATCH = "fills_mismatch"
DAILY_REPORT = "daily_report"

INFO, WARNING, CRITICAL = "info", "warning", "critical"

_IDS_IN_A_QUERY = 500


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a deployment, as one observation shows it.

    :param kind: one of the kinds above.
    :param severity: ``info``, ``warning`` or ``critical``.
    :param message: one sentence for a person, without the name of the deployment.
    :param detail: numbers and texts that belong to it; JSON.
    """

    project_id: int
    deploy_id: str
    kind: str
    severity: str
    message: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What there is at most one open event of: the deployment and the kind."""
        return self.deploy_id, self.kind


@dataclass(frozen=True)
class Event:
    """A row of ``quantconnect_events``.

    :param event_id: ``<deploy id>-<kind>-<number>``; the number counts the deployment's events of the kind.
    :param opened_at: when a watch first saw the problem.
    :param resolved_at: when a watch first saw that it is gone; None while it is open.
    :param observed_at: when a watch last saw the problem.
    :param notified_at: when every notifier had delivered it.
    :param action: what a policy did about it, at ``acted_at``, in the DAG run ``action_run_id``.
    """

    event_id: str
    project_id: int
    deploy_id: str
    kind: str
    severity: str
    message: str
    detail: Mapping[str, Any]
    opened_at: datetime
    resolved_at: datetime | None
    observed_at: datetime
    notified_at: datetime | None
    notify_attempts: int
    notify_tried_at: datetime | None
    delivered_to: Sequence[str] | None
    action: str | None
    acted_at: datetime | None
    action_run_id: str | None

    @property
    def key(self) -> tuple[str, str]:
        """What there is at most one open event of: the deployment and the kind."""
        return self.deploy_id, self.kind

    @property
    def is_open(self) -> bool:
        """Whether the problem is still there."""
        return self.resolved_at is None


EVENT_COLUMNS = [events.c[each.name] for each in fields(Event)]


def open_events(store: Store, problems: Iterable[Problem], at: datetime) -> list[Event]:
    """Open an event for each problem that has no open one; returns the new ones.

    A problem that has an open event only moves its ``observed_at``.

    :param at: when the problems were observed.
    """
    found = {problem.key: problem for problem in problems}
    opened: list[Event] = store.write(lambda connection: _open(connection, list(found.values()), at))
    return opened


def resolve_events(
    store: Store, keys: Iterable[tuple[str, str]], at: datetime, *, runs_again: bool = True
) -> list[Event]:
    """Resolve the open events of these deployments and kinds; returns those that this call resolved.

    :param keys: pairs of deployment id and kind.
    :param at: when the problems were seen to be gone.
    :param runs_again: record the event ``recovered`` for each ``died``.
    """
    wanted = set(keys)
    if not wanted:
        return []
    resolved: list[Event] = store.write(lambda connection: _resolve(connection, wanted, at, runs_again))
    return resolved


def record_event(store: Store, event_id: str, problem: Problem, at: datetime) -> bool:
    """Store an event that is over at the moment it happens; whether it was new.

    :param event_id: of one's own choice: a second event with the same id is not stored.
    """
    return bool(store.write(lambda connection: _record(connection, event_id, problem, at)))


def list_open_events(store: Store) -> list[Event]:
    """Return all open events, oldest first."""
    query = select(*EVENT_COLUMNS).where(events.c.resolved_at.is_(None))
    with store.read() as connection:
        rows = connection.execute(query.order_by(events.c.opened_at, events.c.event_id))
        return [Event(**row._mapping) for row in rows]


def _open(connection: Connection, problems: Sequence[Problem], at: datetime) -> list[Event]:
    known = _known(connection, sorted({problem.deploy_id for problem in problems}))
    opened, seen_again = [], []
    for problem in problems:
        count, open_id = known.get(problem.key, (0, None))
        if open_id is not None:
            seen_again.append(open_id)
            continue
        event_id = f"{problem.deploy_id}-{problem.kind}-{count + 1}"
        if _insert(connection, event_id, problem, at, resolved_at=None):
            opened.append(event_id)
    for event_id in seen_again:
        later = events.c.observed_at < at
        connection.execute(update(events).where(events.c.event_id == event_id, later).values(observed_at=at))
    return _load(connection, opened)


def _known(
    connection: Connection, deploy_ids: Sequence[str]
) -> dict[tuple[str, str], tuple[int, str | None]]:
    """Return, by deployment and kind, how many events there are and the id of the open one."""
    still_open = case((events.c.resolved_at.is_(None), events.c.event_id))
    found: dict[tuple[str, str], tuple[int, str | None]] = {}
    for start in range(0, len(deploy_ids), _IDS_IN_A_QUERY):
        rows = connection.execute(
            select(events.c.deploy_id, events.c.kind, func.count(), func.max(still_open))
            .where(events.c.deploy_id.in_(deploy_ids[start : start + _IDS_IN_A_QUERY]))
            .group_by(events.c.deploy_id, events.c.kind)
        )
        found.update({(deploy_id, kind): (count, open_id) for deploy_id, kind, count, open_id in rows})
    return found


def _resolve(
    connection: Connection, keys: set[tuple[str, str]], at: datetime, runs_again: bool
) -> list[Event]:
    rows = connection.execute(select(*EVENT_COLUMNS).where(events.c.resolved_at.is_(None)))
    resolved = []
    for event in [Event(**row._mapping) for row in rows]:
        if event.key not in keys:
            continue
        moment = max(at, event.opened_at)  # a clock that was set back must not end it before it began
        mine = connection.execute(
            update(events)
            .where(events.c.event_id == event.event_id, events.c.resolved_at.is_(None))
            .values(resolved_at=moment)
        )
        if not mine.rowcount:
            continue
        resolved.append(event.event_id)
        if event.kind == DIED and runs_again:
            _record(
                connection, event.event_id.replace(f"-{DIED}-", f"-{RECOVERED}-"), _recovery(event), moment
            )
    return _load(connection, resolved)


def _recovery(died: Event) -> Problem:
    return Problem(
        died.project_id, died.deploy_id, RECOVERED, INFO, "The project runs again.", {"died": died.event_id}
    )


def _record(connection: Connection, event_id: str, problem: Problem, at: datetime) -> bool:
    return _insert(connection, event_id, problem, at, resolved_at=at)


def _insert(
    connection: Connection, event_id: str, problem: Problem, at: datetime, *, resolved_at: datetime | None
) -> bool:
    """Insert an event; False if one with this id is there, from another watch at the same moment."""
    upsert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {**vars(problem), "detail": dict(problem.detail), "event_id": event_id}
    times = {"opened_at": at, "observed_at": at, "resolved_at": resolved_at}
    statement = upsert(events).values(**values, **times).on_conflict_do_nothing()
    done = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return bool(done.rowcount == 1)


def _load(connection: Connection, event_ids: Sequence[str]) -> list[Event]:
    found: dict[str, Event] = {}
    for start in range(0, len(event_ids), _IDS_IN_A_QUERY):
        ids = event_ids[start : start + _IDS_IN_A_QUERY]
        rows = connection.execute(select(*EVENT_COLUMNS).where(events.c.event_id.in_(ids)))
        found.update({row.event_id: Event(**row._mapping) for row in rows})
    return [found[event_id] for event_id in event_ids]
