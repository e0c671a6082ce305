"""How one insight is rated, in SQL: open or closed, right or wrong, and with which return.

docs/scorecard.md says the same in words.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Double, Integer, and_, case, cast, func, literal_column, or_

from quantconnect_provider.scorecard.horizons import BANDS, LONGER, NAMES, UNKNOWN
from quantconnect_provider.store.schema import insights

TENTHS = 10
LARGEST, SMALLEST = 1e30, 1e-30
"""Numbers beyond these count as missing: with them PostgreSQL's arithmetic fails with an overflow."""

_kept = insights.c
_final = _kept.score_is_final.is_(True)
_CLOSED = or_(_final, _kept.closes_at <= _kept.observed_at)


def _number(value: float) -> ColumnElement[Any]:
    """Return a constant as part of the statement's text: the database prepares such a statement once."""
    return literal_column(repr(value))


def _known(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((func.abs(column) <= _number(LARGEST), column))


def _is_price(column: ColumnElement[Any]) -> ColumnElement[bool]:
    # The API shows a value that it does not have as 0.
    return func.abs(column).between(_number(SMALLEST), _number(LARGEST))


_direction = func.lower(_kept.direction)

SIGN = case(
    (_direction == literal_column("'up'"), _number(1)),
    (_direction == literal_column("'down'"), _number(-1)),
    (_direction == literal_column("'flat'"), _number(0)),
)
"""The predicted direction as 1, -1 or 0; null if there is none."""

IS_OPEN = case((_CLOSED, _number(0)), else_=_number(1))
"""1 if an insight was neither closed nor finally scored when it was last read, else 0."""

RETURN = case(
    (
        and_(_CLOSED, _is_price(_kept.reference_value), _is_price(_kept.reference_value_final)),
        (_kept.reference_value_final - _kept.reference_value) / func.abs(_kept.reference_value),
    )
)
"""The change from reference to final value as a fraction of the reference value; null until it is known."""

_score = _known(_kept.score_direction)

HIT = case(
    (
        and_(_final, _score.is_not(None)),
        case((_score >= _number(0.5), _number(1)), else_=_number(0)),
    ),
    (
        and_(_number(0) != SIGN, RETURN.is_not(None)),
        case((_number(0) < SIGN * RETURN, _number(1)), else_=_number(0)),
    ),
)
"""1 if the prediction was right, 0 if it was wrong; null if it is not scored."""

_period = _known(_kept.period_seconds)

HORIZON = case(
    (or_(_period.is_(None), _period <= _number(0)), _number(NAMES.index(UNKNOWN))),
    *((_kept.period_seconds <= _number(longest), _number(NAMES.index(name))) for name, longest in BANDS),
    else_=_number(NAMES.index(LONGER)),
)
"""The number of the band of the insight's period in :data:`~.horizons.NAMES`."""

CONFIDENCE = case((_kept.confidence.between(_number(0), _number(1)), _kept.confidence))
"""The confidence, 0 to 1; null if there is none."""

TENTH = case(
    (HIT.is_(None), literal_column("NULL")),
    *((_number(tenth / TENTHS) <= CONFIDENCE, _number(tenth)) for tenth in range(TENTHS - 1, -1, -1)),
)
"""Which tenth of confidence a scored insight belongs to, 0 to 9; null if it has no confidence."""

COLUMNS: dict[str, ColumnElement[Any]] = {
    "tenth": cast(TENTH, Integer),
    "is_open": cast(IS_OPEN, Integer),
    "hit": cast(HIT, Integer),
    "sign": cast(SIGN, Integer),
    "outcome": cast(RETURN, Double),
    "confidence": CONFIDENCE,
    "magnitude": _known(_kept.magnitude),
}
"""What is staged of each insight."""
