"""The table of scorecards: how good the predictions were."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Integer, Table, Text

from quantconnect_provider.store.schema import Json, Time, metadata

scorecards = Table(
    "quantconnect_scorecards",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    # Empty text where an insight names none.
    Column("source_model", Text, primary_key=True),
    Column("ticker", Text, primary_key=True),
    # E.g. `1d`: the period of the insights, rounded to a name.
    Column("horizon", Text, primary_key=True),
    Column("insights", Integer, nullable=False),
    Column("open", Integer, nullable=False),
    Column("scored", Integer, nullable=False),
    Column("hits", Integer, nullable=False),
    # Fractions; the interval is Wilson's at 95 %.
    Column("hit_rate", Double),
    Column("hit_rate_low", Double),
    Column("hit_rate_high", Double),
    # From reference to final value, signed by the predicted direction, as a fraction.
    Column("mean_signed_return", Double),
    # Spearman's rank correlation of the prediction with the outcome, -1 to 1.
    Column("information_coefficient", Double),
    # Mean confidence and hit rate of each tenth of confidence.
    Column("calibration", Json, nullable=False),
    Column("computed_at", Time, nullable=False),
)
