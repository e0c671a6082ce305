"""Cash and holdings: what cannot be read is never nothing, and each instrument keeps its name."""

from __future__ import annotations

from decimal import Decimal

import pytest

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.client.errors import UnreadableAnswerError
from tests.client.scripted import Reply, ScriptedServer

HOLDING = {"a": 100, "q": 10, "p": 101, "v": 1010}
OPTION = "SPY 32NKOG4FVKFRQ|SPY R735QTJ8XC9X"


@pytest.mark.parametrize(
    ("holding", "cash"),
    [
        ({"a": 100.5, "q": 0.1, "p": 101, "v": 10.1}, {"symbol": "USD", "amount": 90.25}),
        ({"averagePrice": "100.5", "quantity": "0.1"}, {"amount": "90.25"}),
    ],
)
def test_quantities_keep_their_fractions(
    server: ScriptedServer, client: QuantConnectClient, holding: object, cash: object
) -> None:
    portfolio = {"Holdings": {"BTCUSD 2XR": holding}, "cash": {"USD": cash}}
    server.script(Reply(body={"success": True, "portfolio": portfolio}))
    read = client.read_portfolio(1)
    assert read.holdings["BTCUSD 2XR"].quantity == Decimal("0.1")
    assert read.holdings["BTCUSD 2XR"].average_price == Decimal("100.5")
    assert read.holdings["BTCUSD 2XR"].symbol_id == "BTCUSD 2XR"
    assert (read.cash["USD"].currency, read.cash["USD"].amount) == ("USD", Decimal("90.25"))


def test_an_empty_portfolio_may_come_as_lists(server: ScriptedServer, client: QuantConnectClient) -> None:
    server.script(Reply(body={"success": True, "portfolio": {"holdings": [], "cash": []}}))
    assert client.read_portfolio(1).holdings == {}


@pytest.mark.parametrize("holding", [{"a": 100, "v": 10}, {"q": {}, "v": 10}])
def test_a_holding_whose_quantity_cannot_be_read_does_not_pass_for_none(
    server: ScriptedServer, client: QuantConnectClient, holding: object
) -> None:
    portfolio = {"holdings": {"SPY R735QTJ8XC9X": holding}, "cash": []}
    server.default = lambda asked: Reply(body={"success": True, "portfolio": portfolio})
    with pytest.raises(UnreadableAnswerError, match="'q'"):
        client.read_portfolio(1)


@pytest.mark.parametrize("group", ["holdings", "cash"])
@pytest.mark.parametrize("shape", [[{"q": 1}], ["SPY"], "none", "", None, 0, False, 5, [[]]])
def test_a_group_in_an_unknown_shape_is_not_an_empty_one(
    server: ScriptedServer, client: QuantConnectClient, group: str, shape: object
) -> None:
    portfolio = {"holdings": {}, "cash": {}, group: shape}
    server.default = lambda asked: Reply(body={"success": True, "portfolio": portfolio})
    with pytest.raises(UnreadableAnswerError, match=group):
        client.read_portfolio(1)


@pytest.mark.parametrize(
    "portfolio", [{"cash": {}}, {"holdings": {}}, {"positions": {}, "cash": {}}, {}, [], None, "none"]
)
def test_a_portfolio_without_its_groups_is_not_an_empty_one(
    server: ScriptedServer, client: QuantConnectClient, portfolio: object
) -> None:
    server.default = lambda asked: Reply(body={"success": True, "portfolio": portfolio})
    with pytest.raises(UnreadableAnswerError):
        client.read_portfolio(1)


@pytest.mark.parametrize("holding", [{"a": 100, "p": 101}, {"p": 101, "c": "$", "r": 1}, {"a": 1, "v": 0}])
def test_a_quantity_that_is_left_out_because_it_is_zero_is_zero(
    server: ScriptedServer, client: QuantConnectClient, holding: object
) -> None:
    portfolio = {"holdings": {"SPY R735QTJ8XC9X": holding}, "cash": {}}
    server.script(Reply(body={"success": True, "portfolio": portfolio}))
    assert client.read_portfolio(1).holdings["SPY R735QTJ8XC9X"].quantity == 0


@pytest.mark.parametrize(
    "holding",
    [None, 5, [], {}, {"amount": 5}, {"a": 1, "size": 5}, {**HOLDING, "q": "NaN"}, {**HOLDING, "a": [1]}],
)
def test_a_holding_in_an_unknown_shape_is_no_flat_position(
    server: ScriptedServer, client: QuantConnectClient, holding: object
) -> None:
    portfolio = {"holdings": {"SPY R735QTJ8XC9X": holding}, "cash": {}}
    server.default = lambda asked: Reply(body={"success": True, "portfolio": portfolio})
    with pytest.raises(UnreadableAnswerError):
        client.read_portfolio(1)


@pytest.mark.parametrize(
    ("key", "names", "symbol_id", "symbol"),
    [
        ("SPY R735QTJ8XC9X", {}, "SPY R735QTJ8XC9X", "SPY"),
        (OPTION, {}, OPTION, OPTION),
        (OPTION, {"symbol": "SPY 251219C00600000"}, OPTION, "SPY 251219C00600000"),
        (
            "GOOCV VP83T1ZUHROL",
            {"symbol": {"value": "GOOG", "id": "GOOCV VP83T1ZUHROL", "permtick": "GOOG"}},
            "GOOCV VP83T1ZUHROL",
            "GOOG",
        ),
        ("SPY", {"symbol": {"value": "SPY", "id": "SPY R735QTJ8XC9X"}}, "SPY R735QTJ8XC9X", "SPY"),
        ("BTC.MyData 2S", {"Symbol": None}, "BTC.MyData 2S", "BTC.MyData"),
    ],
)
def test_a_holding_keeps_the_name_of_its_instrument(
    server: ScriptedServer,
    client: QuantConnectClient,
    key: str,
    names: dict[str, object],
    symbol_id: str,
    symbol: str,
) -> None:
    portfolio = {"holdings": {key: {**HOLDING, **names}}, "cash": []}
    server.script(Reply(body={"success": True, "portfolio": portfolio}))
    (holding,) = client.read_portfolio(1).holdings.values()
    assert (holding.symbol_id, holding.symbol, holding.quantity) == (symbol_id, symbol, Decimal(10))


@pytest.mark.parametrize(
    ("holdings", "why"),
    [
        ({"SPY": {**HOLDING, "symbol": {"id": OPTION}}, OPTION: HOLDING}, "names one security twice"),
        ({"0": HOLDING}, "a holding without a symbol: '0'"),
    ],
)
def test_a_holding_that_cannot_be_told_from_another_is_refused(
    server: ScriptedServer, client: QuantConnectClient, holdings: object, why: str
) -> None:
    server.default = lambda asked: Reply(
        body={"success": True, "portfolio": {"holdings": holdings, "cash": []}}
    )
    with pytest.raises(UnreadableAnswerError, match=why):
        client.read_portfolio(1)
