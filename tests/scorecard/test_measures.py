"""The figures agree with SciPy's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantconnect_provider.scorecard.horizons import BANDS, name_of
from quantconnect_provider.scorecard.measures import wilson_interval


@given(st.integers(1, 10_000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_the_interval_is_wilsons(pair: tuple[int, int]) -> None:
    expected = stats.binomtest(*pair).proportion_ci(0.95, method="wilson")

    assert wilson_interval(*pair) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_has_no_interval() -> None:
    assert wilson_interval(0, 0) == (None, None)


@pytest.mark.parametrize(
    ("seconds", "name"),
    [
        (None, ""), (0.0, ""), (-5.0, ""), (60.0, "1m"), (300.0, "5m"), (900.0, "15m"), (1800.0, "30m"),
        (3600.0, "1h"), (6.5 * 3600, "4h"), (86400.0, "1d"), (3 * 86400.0, "3d"), (7 * 86400.0, "7d"),
        (14 * 86400.0, "14d"), (2592000.0, "30d"), (90 * 86400.0, "90d"), (365 * 86400.0, "365d"),
        (25 * 365 * 86400.0, "longer"),
    ],
)  # fmt: skip
def test_a_period_has_the_name_of_its_band(seconds: float | None, name: str) -> None:
    assert name_of(seconds) == name


def test_bands_grow() -> None:
    longest = [seconds for _, seconds in BANDS]
    assert longest == sorted(longest)
