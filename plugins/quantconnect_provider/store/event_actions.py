"""What guards did about events: an event is claimed once, in one transaction with the decision about it.

A row of ``quantconnect_events`` is claimed when it has ``acted_at``; ``action_run_id`` follows when the DAG
run that acts has been seen. So a guard that dies between the two leaves a claim that the next one completes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select, update

from quantconnect_provider.store.events import DIED, DRAWDOWN
from quantconnect_provider.store.schema import deployments
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.watch_tables import events, watched

KINDS = (DIED, DRAWDOWN)
"""The events that guards act on."""

_IDS_IN_A_QUERY = 500


@dataclass(frozen=True)
class Candidate:
    """An open event that a guard may act on.

    :param brokerage: the deployment's, as live/list calls it.
    :param newest_deploy_id: the deployment of the project that was launched last.
    :param drawdown: how far the equity is below its highest now, as a fraction.
    :param action: what it is claimed for, at ``acted_at``, if no DAG run for that has been seen.
    """

    event_id: str
    project_id: int
    deploy_id: str
    kind: str
    opened_at: datetime
    brokerage: str | None = None
    newest_deploy_id: str | None = None
    drawdown: float | None = None
    action: str | None = None
    acted_at: datetime | None = None


@dataclass(frozen=True)
class PastAction:
    """An action that was claimed before, of an event that may be resolved."""

    event_id: str
    project_id: int
    deploy_id: str
    action: str
    acted_at: datetime


@dataclass(frozen=True)
class Claim:
    """An event, and what is to be done about it."""

    event_id: str
    action: str


Choose = Callable[[Sequence[Candidate], Sequence[PastAction]], Sequence[Claim]]


def claim_events(store: Store, choose: Choose, at: datetime) -> list[Claim]:
    """Let *choose* see the open events and what was done before, and claim what it returns.

    All of it is one transaction that holds the events of these projects: of several guards at the same
    moment, each sees what the one before it has claimed.

    :param choose: may be called again, and must not change anything.
    :param at: the time of the claim.
    :returns: the claims that this call made.
    """

    def work(connection: Connection) -> list[Claim]:
        candidates, history = _load(connection)
        return [claim for claim in choose(candidates, history) if _claim(connection, claim, at)]

    claimed: list[Claim] = store.write(work)
    return claimed


def unseen_claims(store: Store, since: datetime) -> list[Claim]:
    """Return the claims after *since* whose DAG run has not been seen, of resolved events too."""
    query = select(events.c.event_id, events.c.action).where(
        events.c.acted_at > since, events.c.action.is_not(None), events.c.action_run_id.is_(None)
    )
    with store.read() as connection:
        return [Claim(*row) for row in connection.execute(query.order_by(events.c.event_id))]


def note_run(store: Store, event_id: str, run_id: str) -> None:
    """Note that the DAG run of a claim has been seen; from then on it is never triggered again."""
    unseen = and_(events.c.event_id == event_id, events.c.action_run_id.is_(None))
    store.write(
        lambda connection: connection.execute(update(events).where(unseen).values(action_run_id=run_id))
    )


def stored_projects(store: Store, project_ids: Collection[int]) -> set[int]:
    """Return those of the projects that have a deployment in the store."""
    query = select(deployments.c.project_id).where(deployments.c.project_id.in_(project_ids)).distinct()
    with store.read() as connection:
        return set(connection.execute(query).scalars())


def _load(connection: Connection) -> tuple[list[Candidate], list[PastAction]]:
    is_open = and_(events.c.resolved_at.is_(None), events.c.kind.in_(KINDS))
    projects = select(events.c.project_id).where(is_open)
    rows = connection.execute(
        select(events)
        .where(events.c.project_id.in_(projects), or_(is_open, events.c.acted_at.is_not(None)))
        .order_by(events.c.event_id)  # one order for all guards: no deadlock
        .with_for_update()
    ).all()
    unfinished = [
        row for row in rows if row.resolved_at is None and row.kind in KINDS and row.action_run_id is None
    ]
    newest = _newest(connection, sorted({row.project_id for row in unfinished}))
    drawdowns = _drawdowns(connection, sorted({row.deploy_id for row in unfinished}))
    candidates = [
        Candidate(
            row.event_id,
            row.project_id,
            row.deploy_id,
            row.kind,
            row.opened_at,
            brokerage=newest.get(row.project_id, {}).get(row.deploy_id),
            newest_deploy_id=next(iter(newest.get(row.project_id, ())), None),
            drawdown=drawdowns.get(row.deploy_id),
            action=row.action,
            acted_at=row.acted_at,
        )
        for row in unfinished
    ]
    history = [
        PastAction(row.event_id, row.project_id, row.deploy_id, row.action, row.acted_at)
        for row in rows
        if row.acted_at is not None and row.action is not None
    ]
    return candidates, history


def _newest(connection: Connection, project_ids: Sequence[int]) -> dict[int, dict[str, str | None]]:
    """Return each project's deployments and their brokerages, the one launched last first."""
    found: dict[int, dict[str, str | None]] = {}
    launched_at = deployments.c.launched_at.desc().nulls_last()
    for start in range(0, len(project_ids), _IDS_IN_A_QUERY):
        rows = connection.execute(
            select(deployments.c.project_id, deployments.c.deploy_id, deployments.c.brokerage)
            .where(deployments.c.project_id.in_(project_ids[start : start + _IDS_IN_A_QUERY]))
            .order_by(deployments.c.project_id, launched_at, deployments.c.deploy_id)
        )
        for project_id, deploy_id, brokerage in rows:
            found.setdefault(project_id, {})[deploy_id] = brokerage
    return found


def _drawdowns(connection: Connection, deploy_ids: Sequence[str]) -> dict[str, float]:
    found = {}
    for start in range(0, len(deploy_ids), _IDS_IN_A_QUERY):
        rows = connection.execute(
            select(watched.c.deploy_id, watched.c.equity, watched.c.peak_equity).where(
                watched.c.deploy_id.in_(deploy_ids[start : start + _IDS_IN_A_QUERY]),
                watched.c.equity.is_not(None),
                watched.c.peak_equity > 0,
            )
        )
        found.update({deploy_id: 1 - equity / peak for deploy_id, equity, peak in rows})
    return found


def _claim(connection: Connection, claim: Claim, at: datetime) -> bool:
    unclaimed = and_(
        events.c.event_id == claim.event_id, events.c.acted_at.is_(None), events.c.resolved_at.is_(None)
    )
    done = connection.execute(update(events).where(unclaimed).values(action=claim.action, acted_at=at))
    return bool(done.rowcount)
