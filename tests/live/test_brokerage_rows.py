"""What single rows of the brokerage table say beyond their keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.live.brokerages.settings import BrokerageSettings, brokerage_settings

IB_SECRET = {"ib-user-name": "user1", "ib-password": "canary"}
IB_OTHERS = {"ib-account": "U1234567", "ib-weekly-restart-utc-time": "22:00:00"}


def settled(brokerage_id: str, secret: dict[str, Any], others: dict[str, Any]) -> BrokerageSettings:
    return brokerage_settings(brokerage_id, json.dumps(secret), others, conn_id="my_broker")


@pytest.mark.parametrize("time", ["00:00:00", "22:00:00", "23:30:00"])
def test_a_restart_that_the_brokerage_accepts(time: str) -> None:
    made = settled(
        "InteractiveBrokersBrokerage", IB_SECRET, {**IB_OTHERS, "ib-weekly-restart-utc-time": time}
    )

    assert made.settings["ib-weekly-restart-utc-time"] == time


@pytest.mark.parametrize("time", ["23:30:01", "23:45:00", "23:59:59"])
def test_a_restart_later_than_the_brokerage_accepts_is_refused_with_the_limit(time: str) -> None:
    with pytest.raises(InvalidSettingError, match=r"ib-weekly-restart-utc-time.*my_broker.*23:30:00"):
        settled("InteractiveBrokersBrokerage", IB_SECRET, {**IB_OTHERS, "ib-weekly-restart-utc-time": time})


@pytest.mark.parametrize(
    ("exchange", "keys"),
    [("Binance", "binance-api-key"), ("BinanceUS", "binanceus-api-key")],
)
def test_binance_requires_the_keys_of_its_exchange(exchange: str, keys: str) -> None:
    with pytest.raises(InvalidSettingError, match=f"missing {keys}"):
        settled("BinanceBrokerage", {}, {"binance-exchange-name": exchange})


def test_clear_street_is_real_money_with_an_account() -> None:
    made = settled(
        "ClearStreetBrokerage",
        {"clearstreet-access-token": "canary"},
        {"clearstreet-account-id": "CS-100234"},
    )

    assert (made.label, made.is_paper, made.account) == ("Clear Street", False, "***234")


@pytest.mark.parametrize(("account", "shown"), [("U1234567", "***567"), ("U1", "***")])
def test_only_the_end_of_an_account_is_shown(account: str, shown: str) -> None:
    made = settled("InteractiveBrokersBrokerage", IB_SECRET, {**IB_OTHERS, "ib-account": account})

    assert made.account == shown
