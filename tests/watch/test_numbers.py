from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantconnect_provider.watch.numbers import read_amount


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("$-1,234.50", -1234.5),
        ("-$1,234.50", -1234.5),
        ("($1,234.50)", -1234.5),
        ("-3.20 %", -0.032),
        ("50.00%", 0.5),
        ("€1.2K", 1200.0),
        ("$2.5M", 2_500_000.0),
        ("₿0.00000001", 1e-8),
        ("1 234.5", 1234.5),
        ("USD 12", 12.0),
        ("12.00 USDT", 12.0),
        ("1E+3", 1000.0),
        ("\N{MINUS SIGN}5", -5.0),
        (".5", 0.5),
        ("+7", 7.0),
        (3, 3.0),
        (2.5, 2.5),
    ],
)
def test_what_people_read_as_a_number_is_one(text: object, number: float) -> None:
    assert read_amount(text) == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "[]",
        "n/a",
        "NaN",
        "inf",
        "1.234,50",
        "1,23",
        "--5",
        "-$-5",
        "-USD-5",
        "(5",
        "5)",
        "$",
        "%",
        "1e999",
        "٣",
    ],
)
def test_other_texts_are_none(value: str) -> None:
    assert read_amount(value) is None


@pytest.mark.parametrize("value", [None, True, [], {}, math.nan, math.inf, 10**400, "9" * 100])
def test_everything_else_is_none(value: object) -> None:
    assert read_amount(value) is None


@given(st.floats(-1e12, 1e12), st.sampled_from(["$", "€", "", "₿", "£"]))
def test_an_amount_survives_being_written(amount: float, symbol: str) -> None:
    sign = "-" if amount < 0 else ""
    for text in (f"{sign}{symbol}{abs(amount):,.2f}", f"{symbol}{sign}{abs(amount):,.2f}"):
        assert read_amount(text) == pytest.approx(round(amount, 2))


@given(st.floats(-1e6, 1e6))
def test_a_percentage_becomes_a_fraction(percent: float) -> None:
    assert read_amount(f"{percent:.2f} %") == pytest.approx(round(percent, 2) / 100)


@given(st.one_of(st.text(), st.from_regex(r"[-+$€(]*[0-9,.]*[eE%KMB)]*"), st.integers(), st.floats()))
def test_no_value_breaks_it(value: object) -> None:
    number = read_amount(value)
    assert number is None or math.isfinite(number)
