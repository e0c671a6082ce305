"""Scorecards of data sets that are worked out by hand, and of random ones that SciPy works out."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from sqlalchemy import delete

from quantconnect_provider.scorecard.compute import compute_scorecards
from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import insights
from tests.scorecard.rows import DAY, T0, cards, figures, insight, keep

LATER = T0 + timedelta(days=1)


def only_card(store: Store, *rows: dict[str, Any]) -> dict[str, Any]:
    keep(store, *rows)
    compute_scorecards(store)
    (card,) = cards(store)
    return card


def test_a_set_worked_out_by_hand(store: Store) -> None:
    card = only_card(
        store,
        # Up and 10 % up: right, +0.10. Down and 5 % down: right, +0.05.
        insight(direction="up", reference_value_final=110.0, magnitude=0.03, confidence=0.95),
        insight(direction="down", reference_value_final=95.0, magnitude=-0.01, confidence=0.91),
        # Up and 20 % down: wrong, -0.20.
        insight(direction="up", reference_value_final=80.0, magnitude=0.02, confidence=0.15),
        # Down and 4 % up: wrong, -0.04.
        insight(direction="down", reference_value_final=104.0, magnitude=-0.04, confidence=0.12),
        # Still open, though it shows a value.
        insight(closes_at=LATER, reference_value_final=150.0, confidence=0.5),
        # Closed without a final value.
        insight(confidence=0.5),
    )

    # Predictions .03 -.01 .02 -.04 have the ranks 4 2 3 1, the returns .10 -.05 -.20 .04 have 4 2 1 3;
    # the squares of the differences 0 0 2 -2 sum up to 8: 1 - 6 * 8 / (4 * 15) = 0.2.
    assert card["information_coefficient"] == pytest.approx(0.2)
    assert (card["information_coefficient_of"], card["information_coefficient_pairs"]) == ("magnitude", 4)
    assert (card["insights"], card["open"], card["scored"], card["hits"]) == (6, 1, 4, 2)
    assert card["hit_rate"] == 0.5
    # 1.96^2 = 3.8415; middle (0.5 + 3.8415 / 8) / (1 + 3.8415 / 4) = 0.5, reach 0.35.
    assert card["hit_rate_low"] == pytest.approx(0.150, abs=5e-4)
    assert card["hit_rate_high"] == pytest.approx(0.850, abs=5e-4)
    assert card["returns"] == 4
    assert card["mean_signed_return"] == pytest.approx((0.10 + 0.05 - 0.20 - 0.04) / 4)
    assert card["horizon"] == "1d"
    low, high = card["calibration"]
    assert low == {
        "from": 0.1, "to": 0.2, "insights": 2, "mean_confidence": pytest.approx(0.135), "hit_rate": 0.0,
    }  # fmt: skip
    assert high == {
        "from": 0.9, "to": 1.0, "insights": 2, "mean_confidence": pytest.approx(0.93), "hit_rate": 1.0,
    }  # fmt: skip


HITS: list[tuple[dict[str, Any], int, int]] = [
    # A final score decides, whatever the reference values say.
    ({"score_is_final": True, "score_direction": 1.0, "reference_value_final": 50.0}, 1, 1),
    ({"score_is_final": True, "score_direction": 0.0, "reference_value_final": 150.0}, 1, 0),
    ({"score_is_final": True, "score_direction": 0.5}, 1, 1),
    ({"score_is_final": True, "score_direction": 1.0, "direction": "flat"}, 1, 1),
    # One that is not final does not.
    ({"score_direction": 1.0}, 0, 0),
    ({"score_is_final": None, "score_direction": None, "reference_value_final": 101.0}, 1, 1),
    ({"score_is_final": True, "score_direction": None, "reference_value_final": 101.0}, 1, 1),
    ({"direction": "Up", "reference_value_final": 101.0}, 1, 1),
    ({"direction": "down", "reference_value_final": 101.0}, 1, 0),
    # No move is no hit, and flat predicts nothing that reference values could decide.
    ({"reference_value_final": 100.0}, 1, 0),
    ({"direction": "flat", "reference_value_final": 100.0}, 0, 0),
    ({"direction": None, "reference_value_final": 101.0}, 0, 0),
    ({"direction": "sideways", "reference_value_final": 101.0}, 0, 0),
    # The API shows values that it does not have as 0 or null.
    ({"reference_value_final": 0.0}, 0, 0),
    ({"reference_value": 0.0, "reference_value_final": 5.0}, 0, 0),
    ({"reference_value": None, "reference_value_final": 5.0}, 0, 0),
    # Prices can be negative.
    ({"reference_value": -40.0, "reference_value_final": -30.0}, 1, 1),
    # Open: it neither closed before it was read, nor is its score final.
    ({"closes_at": LATER, "reference_value_final": 101.0}, 0, 0),
    ({"closes_at": None, "reference_value_final": 101.0}, 0, 0),
]
"""What an insight says, and whether it is scored and a hit."""


def test_what_counts_as_a_hit(store: Store) -> None:
    keep(store, *(insight(ticker=str(number), **given) for number, (given, *_) in enumerate(HITS)))
    compute_scorecards(store)

    found = {int(card["ticker"]): (card["scored"], card["hits"]) for card in cards(store)}
    assert found == {number: tuple(expected) for number, (_, *expected) in enumerate(HITS)}


def test_each_project_model_ticker_and_horizon_has_a_card(store: Store) -> None:
    keep(
        store,
        insight(),
        insight(project_id=2),
        insight(source_model=None),
        insight(ticker=None),
        insight(period_seconds=3600.0),
        insight(period_seconds=3700.0),
    )
    compute_scorecards(store)

    assert {key: card["insights"] for key, card in figures(store).items()} == {
        (1, "EmaCross", "SPY", "1d"): 1,
        (2, "EmaCross", "SPY", "1d"): 1,
        (1, "", "SPY", "1d"): 1,
        (1, "EmaCross", "", "1d"): 1,
        (1, "EmaCross", "SPY", "1h"): 2,
    }


HORIZONS = [
    (None, ""), (0.0, ""), (-5.0, ""), (1e300, ""), (1e-3, "1m"), (60.0, "1m"), (150.0, "1m"), (151.0, "5m"),
    (900.0, "15m"), (1800.0, "30m"), (3600.0, "1h"), (6.5 * 3600, "4h"), (DAY, "1d"), (3 * DAY, "3d"),
    (7 * DAY, "7d"), (14 * DAY, "14d"), (30 * DAY, "30d"), (90 * DAY, "90d"), (180 * DAY, "180d"),
    (365 * DAY, "365d"), (730 * DAY, "365d"), (25 * 365 * DAY, "longer"), (1e12, "longer"),
]  # fmt: skip


def test_a_period_falls_into_a_band(store: Store) -> None:
    keep(
        store,
        *(insight(ticker=str(place), period_seconds=period) for place, (period, _) in enumerate(HORIZONS)),
    )
    compute_scorecards(store)

    found = {int(ticker): horizon for _, _, ticker, horizon in figures(store)}
    assert found == {place: name for place, (_, name) in enumerate(HORIZONS)}


MISSING = [None, math.nan, math.inf, -math.inf, 1.7e308, -1.7e308]
EXTREME = [5e-324, -5e-324, 0.0, -0.0, 1e30, -1e30]
USUAL: dict[str, Any] = {"reference_value_final": 110.0, "magnitude": 0.1, "confidence": 0.5}


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("magnitude", {}),
        ("confidence", {}),
        ("reference_value", {}),
        ("reference_value_final", {}),
        ("period_seconds", {}),
        ("score_direction", {"score_is_final": True}),
    ],
)
def test_numbers_that_are_none_count_as_missing(store: Store, name: str, others: dict[str, Any]) -> None:
    for place, odd in enumerate(MISSING):
        keep(store, insight(**{**USUAL, **others, name: odd, "ticker": str(place)}), insight(**USUAL))
    # All of them together must be summed and ranked, too.
    keep(store, *(insight(**{**USUAL, **others, name: odd, "ticker": "all"}) for odd in MISSING + EXTREME))
    compute_scorecards(store)

    by_ticker = {ticker: card for (_, _, ticker, _), card in figures(store).items()}
    assert [by_ticker[str(place)] for place in range(len(MISSING))] == [by_ticker["0"]] * len(MISSING)
    assert by_ticker["SPY"]["hits"] == len(MISSING)


def test_long_names_stop_nothing(store: Store) -> None:
    card = only_card(store, insight(source_model="Ü" * 5000, ticker="T" * 5000))

    assert (card["source_model"], card["ticker"]) == ("Ü" * 200, "T" * 200)


def test_a_hundred_series_are_more_than_one_block(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantconnect_provider.scorecard.staged_insights.SERIES_AT_A_TIME", 7)
    keep(store, *(insight(ticker=f"T{number % 100}") for number in range(300)))
    compute_scorecards(store)

    assert [card["insights"] for card in cards(store)] == [3] * 100


NUMBERS = st.one_of(st.none(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), st.floats(0, 1))
DRAWN = st.builds(
    insight,
    direction=st.sampled_from(["up", "down", "flat"]),
    magnitude=NUMBERS,
    confidence=NUMBERS,
    reference_value_final=st.one_of(st.sampled_from([90.0, 100.0, 110.0]), st.floats(1, 200)),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(DRAWN, min_size=1, max_size=40))
def test_the_information_coefficient_is_scipys_rank_correlation(
    store: Store, rows: list[dict[str, Any]]
) -> None:
    store.write(lambda connection: connection.execute(delete(insights)))
    keep(store, *rows)
    compute_scorecards(store, full=True)
    (card,) = cards(store)

    sign = {"up": 1.0, "down": -1.0, "flat": 0.0}
    of = next(
        (name for name in ("magnitude", "confidence") if all(row[name] is not None for row in rows)),
        "direction",
    )
    predicted = [sign[row["direction"]] * (1.0 if of == "direction" else row[of]) for row in rows]
    outcome = [(row["reference_value_final"] - 100.0) / 100.0 for row in rows]
    constant = len(set(predicted)) < 2 or len(set(outcome)) < 2
    expected = math.nan if constant else float(stats.spearmanr(predicted, outcome).statistic)
    assert card["information_coefficient_of"] == of
    if math.isnan(expected):
        assert card["information_coefficient"] is None
    else:
        assert card["information_coefficient"] == pytest.approx(expected, abs=1e-9)
    confidences = [
        row["confidence"] for row in rows if row["direction"] != "flat" and row["confidence"] is not None
    ]
    assert sum(tenth["insights"] for tenth in card["calibration"]) == len(confidences)
    assert all(
        tenth["from"] <= tenth["mean_confidence"] <= tenth["to"] + 1e-12 for tenth in card["calibration"]
    )
