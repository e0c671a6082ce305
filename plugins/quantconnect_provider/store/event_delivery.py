"""Which events people have heard of: claimed before they are sent, so that two workers send none twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select, update

from quantconnect_provider.store.events import EVENT_COLUMNS, Event
from quantconnect_provider.store.store import Store
from quantconnect_provider.store.watch_tables import events

ATTEMPTS_AT_MOST = 5
"""How often the delivery of an event is tried, each time in another cycle."""

NEWS_FOR = timedelta(days=2)
"""Older events are not delivered: after that time they would be about the past."""

_CLAIMED_FOR = timedelta(minutes=5)


def claim_undelivered(store: Store, at: datetime) -> list[Event]:
    """Return the events that are to be delivered now, oldest first; for five minutes nobody else gets them.

    Their count of attempts includes this one.
    """
    claimed: list[Event] = store.write(lambda connection: _claim(connection, at))
    return claimed


def mark_delivered(store: Store, event: Event, notifier: str) -> None:
    """Note that a notifier has delivered the event: another attempt leaves that one out."""

    def mark(connection: Connection) -> None:
        mine = events.c.event_id == event.event_id
        done = connection.execute(select(events.c.delivered_to).where(mine)).scalar() or []
        connection.execute(update(events).where(mine).values(delivered_to=sorted({*done, notifier})))

    store.write(mark)


def mark_notified(store: Store, event_ids: Sequence[str], at: datetime) -> None:
    """Note that every notifier has delivered these events, in one message, at that time."""
    mine = events.c.event_id.in_(event_ids)
    store.write(lambda connection: connection.execute(update(events).where(mine).values(notified_at=at)))


def count_messages(store: Store, since: datetime) -> int:
    """Return how many messages have been delivered since then; events of one message share its time."""
    query = select(func.count(events.c.notified_at.distinct())).where(events.c.notified_at > since)
    with store.read() as connection:
        return int(connection.execute(query).scalar() or 0)


def _claim(connection: Connection, at: datetime) -> list[Event]:
    free = or_(
        events.c.notify_tried_at.is_(None),
        events.c.notify_tried_at <= at - _CLAIMED_FOR,
        # From a clock that was set back; a little later is from one who asked later and was faster.
        events.c.notify_tried_at > at + _CLAIMED_FOR,
    )
    due = (
        events.c.notified_at.is_(None),
        events.c.notify_attempts < ATTEMPTS_AT_MOST,
        events.c.opened_at > at - NEWS_FOR,
        free,
    )
    found = connection.execute(
        select(*EVENT_COLUMNS).where(*due).order_by(events.c.opened_at, events.c.event_id)
    )
    claimed = []
    for event in [Event(**row._mapping) for row in found]:
        attempts = event.notify_attempts
        mine = connection.execute(
            update(events)
            .where(events.c.event_id == event.event_id, events.c.notify_attempts == attempts)
            .values(notify_attempts=attempts + 1, notify_tried_at=at)
        )
        if mine.rowcount:
            claimed.append(event)
    return claimed
