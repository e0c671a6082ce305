"""The rated insights of some series in a temporary table, and the sums over them.

A series is what one model of a project predicts about one ticker. Its insights of one horizon make one
scorecard. Each statement works on :data:`SERIES_AT_A_TIME` series, to use little memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.schema import CreateTable

from quantconnect_provider.scorecard.horizons import NAMES
from quantconnect_provider.scorecard.measures import RankSums, Sums
from quantconnect_provider.scorecard.rating import COLUMNS, HORIZON
from quantconnect_provider.store.schema import SOURCE_MODEL, TICKER, insights

SERIES_AT_A_TIME = 500
_HORIZONS = len(NAMES)

_metadata = MetaData()

series = Table(
    "quantconnect_scorecard_series",
    _metadata,
    Column("series_id", Integer, primary_key=True),
    Column("project_id", BigInteger),
    Column("source_model", Text),
    Column("ticker", Text),
    UniqueConstraint("project_id", "source_model", "ticker"),  # its index finds the scorecards of a series
    prefixes=["TEMPORARY"],
)
"""The series to compute; filled by :mod:`~.scorecard.changes`."""

_staged = Table(
    "quantconnect_scorecard_insights",
    _metadata,
    # Series and horizon in one number: the database sorts by it.
    Column("card", BigInteger),
    *(Column(name, expression.type) for name, expression in COLUMNS.items()),
    prefixes=["TEMPORARY"],
)

_predictions = Table(
    "quantconnect_scorecard_predictions",
    _metadata,
    Column("card", BigInteger, primary_key=True, autoincrement=False),
    # What its insights are ranked by; see Sums.prediction.
    Column("prediction", Text),
    prefixes=["TEMPORARY"],
)


def create_tables(connection: Connection) -> None:
    """Create the temporary tables; they end with the transaction, which is never committed."""
    for table in (series, _staged, _predictions):
        connection.execute(CreateTable(table))


def _plain(column: Column[Any]) -> Any:
    """Return the column without its type: SQLite compares an index of expressions with such values only."""
    return func.coalesce(column, literal_column("''"))


_STAGE = insert(_staged).from_select(
    ["card", *COLUMNS],
    select((series.c.series_id * literal_column(str(_HORIZONS)) + HORIZON), *COLUMNS.values())
    .select_from(series)
    .join(
        insights,
        and_(
            insights.c.project_id == series.c.project_id,
            _plain(series.c.source_model) == SOURCE_MODEL,
            _plain(series.c.ticker) == TICKER,
        ),
    )
    .where(series.c.series_id.between(bindparam("first"), bindparam("last"))),
)


def cards(connection: Connection) -> Iterator[tuple[int, str, Sums, RankSums | None]]:
    """Yield series id, horizon, sums and rank sums of each scorecard of all series."""
    highest = connection.execute(select(func.coalesce(func.max(series.c.series_id), 0))).scalar_one()
    for first in range(1, highest + 1, SERIES_AT_A_TIME):
        connection.execute(_staged.delete())
        connection.execute(_STAGE, {"first": first, "last": first + SERIES_AT_A_TIME - 1})
        found = _sums(connection)
        ranks = _ranks(connection, found)
        for card, sums in found.items():
            series_id, horizon = divmod(card, _HORIZONS)
            yield series_id, NAMES[horizon], sums, ranks.get(card)


def _sums(connection: Connection) -> dict[int, Sums]:
    found: dict[int, Sums] = {}
    for card, tenth, count, is_open, scored, hits, returns, signed, *rest in connection.execute(_SUMS):
        sums = found.setdefault(card, Sums())
        pairs, magnitudes, confidences, confidence = rest
        sums.insights += count
        sums.open += is_open
        sums.scored += scored
        sums.hits += hits or 0
        sums.returns += returns
        sums.signed += signed or 0.0
        sums.pairs += pairs
        sums.magnitudes += magnitudes
        sums.confidences += confidences
        if tenth is not None:
            sums.tenths[tenth] = (count, confidence, hits)
    return found


_one = _staged.c
_IS_PAIR = and_(_one.sign.is_not(None), _one.outcome.is_not(None))
_SIGNED = case((_one.sign != literal_column("0"), _one.sign * _one.outcome))


def _pairs_with(column: Column[Any]) -> Any:
    return func.count(case((_IS_PAIR, column)))


_PAIRS = func.count(case((_IS_PAIR, literal_column("1"))))

_SUMS: Select[Any] = select(
    _one.card,
    _one.tenth,
    func.count(),
    func.sum(_one.is_open),
    func.count(_one.hit),
    func.sum(_one.hit),
    func.count(_SIGNED),
    func.sum(_SIGNED),
    _PAIRS,
    _pairs_with(_one.magnitude),
    _pairs_with(_one.confidence),
    func.sum(_one.confidence),
).group_by(_one.card, _one.tenth)


def _ranks(connection: Connection, found: dict[int, Sums]) -> dict[int, RankSums]:
    rows = [{"card": card, "prediction": sums.prediction()} for card, sums in found.items() if sums.pairs]
    if not rows:
        return {}
    connection.execute(_predictions.delete())
    connection.execute(insert(_predictions), rows)
    return {card: RankSums(*sums) for card, *sums in connection.execute(_RANK_SUMS)}


def _rank_sums() -> Select[Any]:
    """Rank predictions and outcomes within each scorecard, and sum up what Spearman's correlation needs.

    Equal values share the mean of the first and the last of their ranks. RANK is the first, and COUNT over
    the same window counts up to the last, so their sum is twice the shared rank.
    """
    strength = case(
        (_predictions.c.prediction == literal_column("'magnitude'"), func.abs(_one.magnitude)),
        (_predictions.c.prediction == literal_column("'confidence'"), _one.confidence),
        else_=literal_column("1.0"),
    )
    pairs = (
        select(_one.card, (_one.sign * strength).label("x"), _one.outcome.label("y"))
        .join(_predictions, _predictions.c.card == _one.card)
        .where(_IS_PAIR)
        .subquery()
    )
    by_x = select(pairs.c.card, _doubled_rank(pairs, "x").label("x"), pairs.c.y).subquery()
    ranks = select(by_x.c.card, by_x.c.x, _doubled_rank(by_x, "y").label("y")).subquery()
    x, y = ranks.c.x, ranks.c.y
    return select(ranks.c.card, func.count(), func.sum(x * x), func.sum(y * y), func.sum(x * y)).group_by(
        ranks.c.card
    )


def _doubled_rank(rows: Any, name: str) -> Any:
    window = {"partition_by": rows.c.card, "order_by": rows.c[name]}
    return cast(func.rank().over(**window) + func.count().over(**window), Double)


_RANK_SUMS = _rank_sums()
