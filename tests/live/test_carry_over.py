from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from quantconnect_provider.client import CashHolding, Holding, Portfolio
from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.live.deploy.carry_over import (
    cash_settings,
    check_portfolio,
    holdings_settings,
    portfolio_snapshot,
    with_carried,
    with_portfolio,
)
from quantconnect_provider.live.deploy.journal import KEY
from quantconnect_provider.live.notes import MemoryNotes
from tests.live.task import PAPER, PROJECT, Desk, Kill, KillPoint

BTC = {"symbol": "BTCUSD", "symbolId": "BTCUSD 2XR", "quantity": 0.1, "averagePrice": 91234.56}
LONG = Decimal("0.123456789012345678901")


def holding(**fields: Any) -> Holding:
    return Holding(**{"symbol_id": "BTCUSD 2XR", "symbol": "BTCUSD", **fields})


# --- what a run gives -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cash",
    [
        {"usd": "1000.10"},
        [{"currency": "USD", "amount": 1000.10}],
        [{"currency": "USD", "amount": "1000.10"}],
    ],
)
def test_cash_may_be_a_list_or_an_object(cash: Any) -> None:
    assert cash_settings(cash) == [{"currency": "USD", "amount": Decimal("1000.1")}]


@pytest.mark.parametrize(
    ("cash", "named"),
    [
        (1000, "cash is not a list"),
        ([1000], "cash is not a list"),
        ([{"amount": 1}], r"cash\[0\] has no currency"),
        ([{"currency": "USD", "amount": "much"}], r"cash\[0\]\.amount"),
        ([{"currency": "USD", "amount": float("nan")}], r"cash\[0\]\.amount"),
        ([{"currency": "USD", "amount": True}], r"cash\[0\]\.amount"),
        ([{"currency": "USD", "amount": 1}, {"currency": "usd", "amount": 2}], "second time"),
    ],
)
def test_bad_cash_is_named(cash: Any, named: str) -> None:
    with pytest.raises(InvalidSettingError, match=named):
        cash_settings(cash)


@pytest.mark.parametrize(
    ("holdings", "named"),
    [
        ({"SPY": 1}, "holdings is not a list"),
        ([{"quantity": 1}], r"holdings\[0\] has neither symbol"),
        ([{"symbol": "SPY"}], r"holdings\[0\]\.quantity"),
        ([{"symbol": "SPY", "quantity": 1, "averagePrice": -1}], r"averagePrice is negative"),
    ],
)
def test_bad_holdings_are_named(holdings: Any, named: str) -> None:
    with pytest.raises(InvalidSettingError, match=named):
        holdings_settings(holdings)


def test_short_positions_and_fractions_are_kept() -> None:
    rows = holdings_settings([{"symbolId": "BTCUSD 2XR", "quantity": "-0.1", "averagePrice": 1}])

    assert rows == [
        {"symbol": "BTCUSD", "symbolId": "BTCUSD 2XR", "quantity": Decimal("-0.1"), "averagePrice": 1}
    ]


@pytest.mark.parametrize(("field", "value"), [("cash", {"USD": 1}), ("holdings", [BTC])])
def test_a_brokerage_that_has_its_own_portfolio_is_given_none(field: str, value: Any) -> None:
    with pytest.raises(InvalidSettingError, match=f"Tradier takes its {field}"):
        with_portfolio({"id": "TradierBrokerage"}, **{field: value})


def test_a_brokerage_that_must_be_told_its_cash_is_refused_without() -> None:
    with pytest.raises(InvalidSettingError, match="does not know its cash"):
        check_portfolio({"id": "TradingTechnologiesBrokerage"})


def test_an_unknown_brokerage_is_given_what_the_run_says() -> None:
    assert with_portfolio({"id": "NewBrokerage"}, cash={"USD": 1})["cash"][0]["amount"] == 1


# --- what is carried over ---------------------------------------------------------------------------


def test_no_digit_is_lost_on_the_way_through_the_notes() -> None:
    portfolio = Portfolio(
        cash={"USD": CashHolding(currency="USD", amount=Decimal("-0.30"))},
        holdings={"BTCUSD 2XR": holding(quantity=LONG, average_price=Decimal("91234.56"))},
    )

    note = json.loads(json.dumps(portfolio_snapshot(portfolio)))
    carried = with_carried(PAPER, note)

    assert carried["cash"] == [{"currency": "USD", "amount": Decimal("-0.30")}]
    assert carried["holdings"][0]["quantity"] == LONG


def test_positions_of_nothing_are_left_out() -> None:
    assert (
        portfolio_snapshot(Portfolio(holdings={"BTCUSD 2XR": holding(quantity=Decimal(0))}))["holdings"] == []
    )


def test_what_the_run_gives_wins() -> None:
    note = {"cash": [{"currency": "USD", "amount": "5"}], "holdings": []}

    assert with_carried({**PAPER, "cash": [{"currency": "USD", "amount": 7}]}, note)["cash"] == [
        {"currency": "USD", "amount": 7}
    ]


def test_only_what_the_brokerage_takes_is_carried() -> None:
    note = {"cash": [{"currency": "USD", "amount": "5"}], "holdings": [{**BTC, "quantity": "0.1"}]}

    assert set(with_carried({"id": "KrakenBrokerage"}, note)) == {"id", "holdings"}
    assert set(with_carried({"id": "TradierBrokerage"}, note)) == {"id"}


def test_a_redeployment_starts_with_what_the_old_one_had(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_cash(old, [{"currency": "USD", "amount": 0.3}, {"currency": "EUR", "amount": 12.0}])
    desk.sandbox.set_holdings(old, [BTC])

    made = desk.create(MemoryNotes(), if_running="redeploy")

    new = desk.sandbox.deployments(PROJECT)[-1]
    assert new["deploy_id"] == made.deploy_id
    assert new["cash"] == {"USD": 0.3, "EUR": 12.0}
    assert [(entry["symbol"], entry["quantity"], entry["averagePrice"]) for entry in new["holdings"]] == [
        ("BTCUSD", 0.1, 91234.56)
    ]


def test_a_continued_redeployment_still_has_what_the_old_one_had(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_cash(old, [{"currency": "USD", "amount": 77.5}])
    notes = MemoryNotes()
    with pytest.raises(Kill):
        desk.create(notes, KillPoint("create_live", "before"), if_running="redeploy")
    desk.sandbox.set_cash(old, [{"currency": "USD", "amount": 0.0}])
    desk.until_done(lambda: desk.create(notes, if_running="redeploy"))

    assert notes.get(KEY)["redeploy"] is None
    assert desk.sandbox.deployments(PROJECT)[-1]["cash"] == {"USD": 77.5}


def test_cash_given_by_the_run_is_not_overwritten_by_the_old_portfolio(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT)
    desk.sandbox.set_cash(old, [{"currency": "USD", "amount": 77.5}])
    brokerage = with_portfolio(PAPER, cash={"USD": "5000.5"})

    desk.create(MemoryNotes(), spec=desk.spec(brokerage=brokerage), if_running="redeploy")

    assert desk.sandbox.deployments(PROJECT)[-1]["cash"] == {"USD": 5000.5}


def test_a_redeployment_at_a_brokerage_with_its_own_portfolio_carries_nothing(desk: Desk) -> None:
    desk.sandbox.deploy(PROJECT)
    spec = desk.spec(brokerage={"id": "TradierBrokerage", "tradier-access-token": "token"})

    desk.create(MemoryNotes(), spec=spec, if_running="redeploy")

    request = desk.sandbox.deployments(PROJECT)[-1]["request"]
    assert set(request["brokerage"]) == {"id", "tradier-access-token"}
    assert desk.sends("live/portfolio/read") == 0


def test_nothing_is_stopped_when_the_portfolio_cannot_be_read(desk: Desk) -> None:
    old = desk.sandbox.deploy(PROJECT)
    desk.sandbox.add_fault("live/portfolio/read", errors=["No portfolio."], times=None)

    with pytest.raises(Exception, match="No portfolio"):
        desk.create(MemoryNotes(), if_running="redeploy")

    assert desk.asked() == {old: []}
