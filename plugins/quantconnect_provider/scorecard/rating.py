"""What one insight counts as, in SQL: open or closed, right or wrong, and what it would have earned.

docs/scorecard.md says the same in words.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Double, Integer, and_, case, cast, func, literal_column, or_

from quantconnect_provider.scorecard.horizons import BANDS, NAMES
from quantconnect_provider.store.schema import insights

TENTHS = 10
_kept = insights.c
_final = _kept.score_is_final.is_(True)
_CLOSED = or_(_final, _kept.closes_at <= _kept.observed_at)


def _number(value: float) -> ColumnElement[Any]:
    """Return a constant that is part of the statement's text, so that the statement is prepared once."""
    return literal_column(repr(value))


_direction = func.lower(_kept.direction)

SIGN = case(
    (_direction == literal_column("'up'"), _number(1)),
    (_direction == literal_column("'down'"), _number(-1)),
    (_direction == literal_column("'flat'"), _number(0)),
)
"""The predicted direction as 1, -1 or 0; null if there is none."""

IS_OPEN = case((_CLOSED, _number(0)), else_=_number(1))
"""1 while an insight was neither closed nor finally scored when it was last read."""

# The API shows a final value that it does not have as 0.
RETURN = case(
    (
        and_(_CLOSED, _kept.reference_value != _number(0), _kept.reference_value_final != _number(0)),
        (_kept.reference_value_final - _kept.reference_value) / func.abs(_kept.reference_value),
    )
)
"""The change from reference to final value as a fraction of the reference value; null until it is known."""

HIT = case(
    (
        and_(_final, _kept.score_direction.is_not(None)),
        case((_kept.score_direction >= _number(0.5), _number(1)), else_=_number(0)),
    ),
    (
        and_(_number(0) != SIGN, RETURN.is_not(None)),
        case((_number(0) < SIGN * RETURN, _number(1)), else_=_number(0)),
    ),
)
"""1 if the prediction was right, 0 if it was wrong; null if that cannot be said."""

HORIZON = case(
    (or_(_kept.period_seconds.is_(None), _kept.period_seconds <= _number(0)), _number(0)),
    *(
        (_kept.period_seconds <= _number(longest), _number(number))
        for number, (_, longest) in enumerate(BANDS, 1)
    ),
    else_=_number(len(NAMES) - 1),
)
"""The number of the band of the insight's period in :data:`~.horizons.NAMES`."""

TENTH = case(
    (HIT.is_(None), literal_column("NULL")),
    (or_(_kept.confidence < _number(0), _kept.confidence > _number(1)), literal_column("NULL")),
    *((_kept.confidence >= _number(tenth / TENTHS), _number(tenth)) for tenth in range(TENTHS - 1, -1, -1)),
)
"""Which tenth of confidence a scored insight belongs to, 0 to 9; null if it names no confidence."""

COLUMNS: dict[str, ColumnElement[Any]] = {
    "tenth": cast(TENTH, Integer),
    "is_open": cast(IS_OPEN, Integer),
    "hit": cast(HIT, Integer),
    "sign": cast(SIGN, Integer),
    "outcome": cast(RETURN, Double),
    "confidence": _kept.confidence,
    "magnitude": _kept.magnitude,
}
"""What is staged of each insight."""
