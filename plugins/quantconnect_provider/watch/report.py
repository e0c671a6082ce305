"""The daily report: what runs, what it is worth, and what happened since yesterday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from quantconnect_provider.client.status import Phase, phase_of
from quantconnect_provider.plain_text import counted, text_table
from quantconnect_provider.store.events import DAILY_REPORT, EVENT_COLUMNS, INFO, Event, Problem, record_event
from quantconnect_provider.store.schema import deployments
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.watch_tables import equity, events, watched
from quantconnect_provider.watch.messages import WORDS

_DAY = timedelta(days=1)


def report_daily(store: Store, at: datetime, hour: int) -> bool:
    """Store the report of the day as an event, once a day from that hour (UTC) on; whether it was now."""
    if at.hour < hour:
        return False
    event_id = f"{DAILY_REPORT}-{at:%Y-%m-%d}"
    with store.read() as connection:
        if connection.execute(select(events.c.event_id).where(events.c.event_id == event_id)).first():
            return False
    text = daily_report(store, at)
    first = text.partition("\n")[0]
    return record_event(store, event_id, Problem(0, "", DAILY_REPORT, INFO, first, {"text": text}), at)


def daily_report(store: Store, at: datetime) -> str:
    """Return the report of the 24 hours before *at*."""
    running = _running(store, at)
    happened = _events(store, at)
    still_open = sum(1 for event in happened if event.is_open)
    lines = [
        (
            f"{counted(len(running), 'deployment')} running, {counted(still_open, 'open event')}, "
            f"{at:%Y-%m-%d %H:%M} UTC."
        )
    ]
    if running:
        heads = ("project", "deployment", "status", "equity", "day", "below highest")
        lines += ["", text_table(heads, running, numbers=heads[3:])]
    if happened:
        rows = [
            (
                f"{event.opened_at:%m-%d %H:%M}",
                "open" if event.is_open else "gone",
                str(event.detail.get("project_name") or event.project_id),
                WORDS.get(event.kind, event.kind),
                event.message,
            )
            for event in happened
        ]
        lines += ["", text_table(("since", "", "project", "what", "message"), rows)]
    return "\n".join(lines)


def _running(store: Store, at: datetime) -> list[Sequence[object]]:
    before = (
        select(equity.c.equity)
        .where(
            equity.c.deploy_id == watched.c.deploy_id,
            equity.c.observed_at > at - _DAY,
            equity.c.equity.is_not(None),
        )
        .order_by(equity.c.observed_at)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(watched, deployments.c.project_name, before.label("before"))
        .join(deployments, deployments.c.deploy_id == watched.c.deploy_id)
        .order_by(deployments.c.project_name, watched.c.deploy_id)
    )
    with store.read() as connection:
        found = list(connection.execute(query))
    return [_row(row) for row in found if phase_of(row.status) in (Phase.RUNNING, Phase.UNKNOWN)]


def _row(row: Any) -> Sequence[object]:
    name = row.project_name or row.project_id
    if row.equity is None:
        return name, row.deploy_id, row.status, "", "", ""
    day = f"{row.equity / row.before - 1:+.2%}" if row.before else ""
    below = f"{1 - row.equity / row.peak_equity:.2%}" if row.peak_equity else ""
    return name, row.deploy_id, row.status, f"{row.equity:,.2f}", day, below


def _events(store: Store, at: datetime) -> list[Event]:
    """Return the events that are open, and those of the last day."""
    recent = events.c.resolved_at.is_(None) | (events.c.opened_at > at - _DAY)
    query = select(*EVENT_COLUMNS).where(recent, events.c.kind != DAILY_REPORT)
    with store.read() as connection:
        rows = connection.execute(query.order_by(events.c.opened_at.desc(), events.c.event_id).limit(100))
        return [Event(**row._mapping) for row in rows]
