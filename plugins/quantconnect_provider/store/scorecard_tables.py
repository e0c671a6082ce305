"""Scorecards, which measure how good the predictions were, and which insights they hold."""

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
    # From reference to final value, signed by the predicted direction, as a fraction; from how many insights.
    Column("returns", Integer, nullable=False, server_default="0"),
    Column("mean_signed_return", Double),
    # Spearman's rank correlation of the prediction with the return, -1 to 1; from how many insights, and
    # whether the prediction was their magnitude, confidence or only direction.
    Column("information_coefficient", Double),
    Column("information_coefficient_pairs", Integer, nullable=False, server_default="0"),
    Column("information_coefficient_of", Text),
    # Mean confidence, hit rate and number of insights of each tenth of confidence.
    Column("calibration", Json, nullable=False),
    Column("computed_at", Time, nullable=False),
)

scorecard_progress = Table(
    "quantconnect_scorecard_progress",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    # The latest observed_at that the project's scorecards account for.
    Column("observed_up_to", Time),
    # How often they were computed: by this, two computations at the same time notice each other.
    Column("revision", Integer, nullable=False),
)
