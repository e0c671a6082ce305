"""Cash, holdings and parameters as Jinja and people give them: objects, JSON text and Python text."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantconnect_provider.client import Portfolio
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.live_request import parameter_texts
from quantconnect_provider.client.portfolio import Holding
from quantconnect_provider.live.deploy.carry_over import (
    holdings_settings,
    portfolio_snapshot,
    with_carried,
    with_portfolio,
)
from tests.live.task import PAPER

OPTION_ID = "SPY 2ZQGWTQ5V7UJQ|SPY R735QTJ8XC9X"

numbers = st.one_of(
    st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False, width=32)
)
currencies = st.text(st.characters(codec="ascii", categories=["Lu"]), min_size=3, max_size=5)
cash_rows = st.lists(
    st.fixed_dictionaries({"currency": currencies, "amount": numbers}),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row["currency"],
)
holding_rows = st.lists(
    st.fixed_dictionaries(
        {"symbol": currencies, "quantity": numbers, "averagePrice": st.integers(0, 10**9)},
        optional={"symbolId": st.sampled_from(["SPY R735QTJ8XC9X", OPTION_ID, "BTCUSD.Bitcoin 2S"])},
    ),
    min_size=1,
    max_size=4,
)
odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def spellings(value: Any) -> list[Any]:
    """The value itself, as ``| tojson`` writes it, and as Jinja writes it."""
    return [value, json.dumps(value), str(value)]


@given(cash_rows)
def test_cash_means_the_same_in_every_spelling(rows: list[dict[str, Any]]) -> None:
    expected = [{**row, "amount": Decimal(str(row["amount"]))} for row in rows]

    assert [with_portfolio(PAPER, cash=each)["cash"] for each in spellings(rows)] == [expected] * 3


@given(holding_rows)
def test_holdings_mean_the_same_in_every_spelling(rows: list[dict[str, Any]]) -> None:
    native, *texts = [with_portfolio(PAPER, holdings=each)["holdings"] for each in spellings(rows)]

    assert texts == [native, native]
    assert [row.get("symbolId") for row in native] == [row.get("symbolId") for row in rows]
    assert [row["quantity"] for row in native] == [Decimal(str(row["quantity"])) for row in rows]


@given(field=st.sampled_from(["symbol", "symbolId", "quantity", "averagePrice"]), value=odd_values)
def test_an_odd_field_of_a_holding_is_refused_by_name_or_understood(field: str, value: Any) -> None:
    row = {"symbol": "SPY", "symbolId": "SPY R735QTJ8XC9X", "quantity": 1, "averagePrice": 2, field: value}
    made, refusal = understood(row)

    assert (made is None) == ("holdings[0]" in refusal)
    assert made is None or all(type(made[key]) is str for key in ("symbol", "symbolId") if key in made)
    assert made is None or all(made[key].is_finite() for key in ("quantity", "averagePrice"))


def understood(row: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """What a holding is read as, and why it is refused."""
    try:
        return holdings_settings([row])[0], ""
    except InvalidSettingError as error:
        return None, str(error)


@given(st.dictionaries(st.text(max_size=8), odd_values, max_size=4))
def test_parameters_are_text_or_refused_by_name(parameters: dict[str, Any]) -> None:
    bad = [
        name
        for name, value in parameters.items()
        if isinstance(value, (bytes, list, dict)) or (isinstance(value, float) and not math.isfinite(value))
    ]
    if bad:
        with pytest.raises(InvalidSettingError, match="parameters") as error:
            parameter_texts(parameters)
        assert any(repr(name) in str(error.value) for name in bad)
        return
    sent = parameter_texts(parameters)
    assert all(type(value) is str for value in sent.values())
    assert set(sent) == {name for name, value in parameters.items() if value is not None}


def test_true_and_false_are_written_as_json_does() -> None:
    assert parameter_texts({"a": True, "b": 10, "c": "x", "d": None}) == {"a": "true", "b": "10", "c": "x"}


@pytest.mark.parametrize("nothing", [None, "", "None", "null", [], {}, "[]", "{}", " None "])
def test_nothing_in_any_spelling_is_no_portfolio(nothing: Any) -> None:
    assert with_portfolio(PAPER, cash=nothing, holdings=nothing) == PAPER


# --- which instrument -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "symbol", "symbol_id"),
    [
        ({"symbolId": OPTION_ID}, OPTION_ID, OPTION_ID),
        ({"symbol": "SPY", "symbolId": OPTION_ID}, OPTION_ID, OPTION_ID),
        ({"symbol": "SPY 261218C00600000", "symbolId": OPTION_ID}, "SPY 261218C00600000", OPTION_ID),
        ({"symbol": {"value": "META", "id": "FB V6OIPNZEM8V9"}}, "META", "FB V6OIPNZEM8V9"),
        ({"symbol": {"Value": "META", "ID": "FB V6OIPNZEM8V9"}}, "META", "FB V6OIPNZEM8V9"),
        ({"symbolId": "BTCUSD.Bitcoin 2S"}, "BTCUSD.Bitcoin", "BTCUSD.Bitcoin 2S"),
    ],
    ids=["option", "option called by its underlying", "option with name", "object", "old object", "custom"],
)
def test_the_real_instrument_is_shown_and_sent(entry: dict[str, Any], symbol: str, symbol_id: str) -> None:
    [made] = holdings_settings([{**entry, "quantity": 1}])

    assert (made["symbol"], made["symbolId"]) == (symbol, symbol_id)


def test_an_entry_that_names_two_instruments_is_refused() -> None:
    row = {"symbol": {"value": "SPY", "id": "SPY R735QTJ8XC9X"}, "symbolId": OPTION_ID, "quantity": 1}

    with pytest.raises(InvalidSettingError, match=r"holdings\[0\].*one instrument"):
        holdings_settings([row])


def test_a_carried_option_stays_an_option() -> None:
    held = Holding(symbol_id=OPTION_ID, symbol="SPY", quantity=Decimal(2), average_price=Decimal(1))

    note = portfolio_snapshot(Portfolio(holdings={OPTION_ID: held}))

    assert note["holdings"][0]["symbol"] == OPTION_ID
    assert with_carried(PAPER, note)["holdings"][0]["symbolId"] == OPTION_ID
