"""Makes rows of ``quantconnect_insights`` from insights.

A column with the name of a field of :class:`~quantconnect_provider.client.insights.Insight` holds that field.
All else follows from the table, so a new column is declared there, in the client and in a migration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from quantconnect_provider.client.insights import Insight
from quantconnect_provider.store.schema import Json, Time, insights
from quantconnect_provider.store.text import to_json


def _fields(*, of: Any = None) -> tuple[str, ...]:
    """Return the columns that hold a field of an insight, of one type or of all others than these."""
    return tuple(
        column.name
        for column in insights.columns
        if column.name in Insight.__struct_fields__
        and (column.type is of if of is not None else column.type not in (Time, Json))
    )


_TIMES, _JSON, _PLAIN = _fields(of=Time), _fields(of=Json), _fields()
_GIVEN = ("project_id", "deploy_id", "position", "first_seen_at", "observed_at")

COLUMNS = (*_GIVEN, *_TIMES, *_JSON, *_PLAIN)
"""The columns in the order of a row's values."""
CONTENT = tuple(name for name in (*_TIMES, *_JSON, *_PLAIN) if not insights.columns[name].primary_key)
"""The columns whose values QuantConnect may change."""


def _getter(names: Sequence[str]) -> Callable[[Insight], tuple[Any, ...]]:
    """Return what gives the values of these fields, one or more, as a tuple."""
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda insight: (get(insight),)


_times, _json, _plain = _getter(_TIMES), _getter(_JSON), _getter(_PLAIN)


def rows_of(
    found: Sequence[Insight | None], *, project_id: int, deploy_id: str, start: int, observed_at: datetime
) -> Iterator[tuple[Any, ...]]:
    """Yield the values of :data:`COLUMNS` for each insight; times and JSON as text.

    :param found: insights of adjacent positions from *start* on; None where a row could not be read, and then
        nothing is yielded.
    :param observed_at: when they were asked for, aware UTC.
    """
    observed = as_text(observed_at)
    for position, insight in enumerate(found, start):
        if insight is not None:
            yield (
                project_id,
                deploy_id,
                position,
                observed,
                observed,
                *[as_text(time) for time in _times(insight)],
                *[to_json(value) if value else "{}" for value in _json(insight)],
                *_plain(insight),
            )


def as_text(time: datetime | None) -> str | None:
    """Write an aware UTC time as both databases read it; in SQLite this is how it is stored."""
    return None if time is None else time.isoformat(" ", "microseconds")
