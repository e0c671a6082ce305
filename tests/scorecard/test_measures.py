"""The figures agree with SciPy's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantconnect_provider.scorecard.horizons import BANDS
from quantconnect_provider.scorecard.measures import wilson_interval


@given(st.integers(1, 10_000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_the_interval_is_wilsons(pair: tuple[int, int]) -> None:
    expected = stats.binomtest(*pair).proportion_ci(0.95, method="wilson")

    assert wilson_interval(*pair) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_has_no_interval() -> None:
    assert wilson_interval(0, 0) == (None, None)


def test_bands_grow() -> None:
    longest = [seconds for _, seconds in BANDS]
    assert longest == sorted(longest)
