from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.client.redaction import SECRET_KEY
from quantconnect_provider.live.brokerages.settings import (
    brokerage_settings,
    data_provider_settings,
    is_paper,
    paper_settings,
)
from quantconnect_provider.live.brokerages.table import BROKERAGES, PAPER_ID

CANARY = "s3cr3t-canary"
IB = {"ib-user-name": "user1", "ib-password": CANARY}
IB_OTHERS = {"ib-account": "U1234567", "ib-weekly-restart-utc-time": "22:00:00"}
TRADIER = {"tradier-account-id": "1", "tradier-environment": "live"}


def settled(brokerage_id: str, secret: dict[str, Any], others: dict[str, Any]) -> Any:
    return brokerage_settings(brokerage_id, json.dumps(secret), others, conn_id="my_broker")


def complete(brokerage_id: str) -> dict[str, Any]:
    """Settings with everything that a brokerage requires."""
    row = BROKERAGES[brokerage_id]
    settings = {key: row.choices.get(key, ("12345",))[0] for key in row.required}
    if "ib-weekly-restart-utc-time" in settings:
        settings["ib-weekly-restart-utc-time"] = "22:00:00"
    if brokerage_id == "BinanceBrokerage":
        settings |= {"binance-api-key": "k", "binance-api-secret": "s"}
    return settings


def split(brokerage_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same, as a connection holds them: secret ones apart."""
    settings, secret = complete(brokerage_id), BROKERAGES[brokerage_id].secret
    return (
        {key: value for key, value in settings.items() if key in secret},
        {key: value for key, value in settings.items() if key not in secret},
    )


@pytest.mark.parametrize("brokerage_id", BROKERAGES)
def test_the_two_halves_of_a_connection_become_one_object(brokerage_id: str) -> None:
    made = settled(brokerage_id, *split(brokerage_id))

    assert made.settings == {"id": brokerage_id, **complete(brokerage_id)}


@pytest.mark.parametrize("brokerage_id", BROKERAGES)
def test_each_required_key_is_missed(brokerage_id: str) -> None:
    secret, others = split(brokerage_id)

    for key in complete(brokerage_id):
        without = [{name: value for name, value in half.items() if name != key} for half in (secret, others)]
        with pytest.raises(InvalidSettingError, match=f"my_broker.*{key}"):
            settled(brokerage_id, *without)


@pytest.mark.parametrize("brokerage_id", BROKERAGES)
def test_every_secret_of_the_table_is_scrubbed_by_the_client_too(brokerage_id: str) -> None:
    assert [key for key in BROKERAGES[brokerage_id].secret if not SECRET_KEY.search(key)] == []


def test_no_connection_is_paper_trading() -> None:
    assert (paper_settings().settings, paper_settings().is_paper) == ({"id": PAPER_ID}, True)


@pytest.mark.parametrize(
    ("brokerage_id", "settings", "paper"),
    [
        (PAPER_ID, {}, True),
        ("TradierBrokerage", {"tradier-environment": "paper"}, True),
        ("TradierBrokerage", {"tradier-environment": "live"}, False),
        ("TradierBrokerage", {"tradier-environment": "Paper"}, False),
        ("TradierBrokerage", {}, False),
        ("OandaBrokerage", {"oanda-environment": "Practice"}, True),
        ("OandaBrokerage", {"oanda-environment": "Trade"}, False),
        ("BinanceBrokerage", {"binance-exchange-name": "Binance", "binance-use-testnet": "paper"}, True),
        ("BinanceBrokerage", {"binance-exchange-name": "BinanceUS", "binance-use-testnet": "paper"}, False),
        ("BinanceBrokerage", {"binance-exchange-name": "Binance"}, False),
        ("BybitBrokerage", {"bybit-use-testnet": "demo"}, True),
        ("TradingTechnologiesBrokerage", {"tt-rest-environment": "uat"}, True),
        ("AlpacaBrokerage", {"alpaca-environment": "paper"}, True),
        ("TradeStationBrokerage", {"trade-station-environment": "paper"}, True),
        ("InteractiveBrokersBrokerage", {"ib-account": "DU1234567"}, True),
        ("InteractiveBrokersBrokerage", {"ib-account": "DU1234567", "ib-trading-mode": "live"}, False),
        ("InteractiveBrokersBrokerage", {"ib-account": "U1234567", "ib-trading-mode": "paper"}, False),
        ("TerminalLinkBrokerage", {"terminal-link-environment": "Beta"}, False),
        ("KrakenBrokerage", {}, False),
        ("NewBrokerage", {"new-environment": "paper"}, False),
    ],
)
def test_what_cannot_be_shown_to_be_paper_is_real_money(
    brokerage_id: str, settings: dict[str, str], paper: bool
) -> None:
    assert is_paper(brokerage_id, settings) is paper


@pytest.mark.parametrize("password", ["not json " + CANARY, '["' + CANARY + '"]', '{"a": "' + CANARY])
def test_a_password_that_is_no_json_object_is_named_and_not_shown(password: str) -> None:
    with pytest.raises(InvalidSettingError, match=r"my_broker.*not a JSON object") as error:
        brokerage_settings("TradierBrokerage", password, TRADIER, conn_id="my_broker")

    assert CANARY not in str(error.value) + repr(error.value) + repr(error.value.__context__)


@pytest.mark.parametrize("time", ["22:00", "10pm", "24:00:00", CANARY])
def test_the_weekly_restart_time_is_checked_and_not_shown(time: str) -> None:
    with pytest.raises(InvalidSettingError, match="ib-weekly-restart-utc-time") as error:
        settled("InteractiveBrokersBrokerage", IB, {**IB_OTHERS, "ib-weekly-restart-utc-time": time})

    assert CANARY not in str(error.value)


def test_a_misspelt_choice_is_refused_with_the_right_spelling() -> None:
    with pytest.raises(InvalidSettingError, match="'live' or 'paper'"):
        settled(
            "TradierBrokerage", {"tradier-access-token": "t"}, {**TRADIER, "tradier-environment": "Paper"}
        )


def test_an_unknown_choice_is_let_through_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        made = settled(
            "TradierBrokerage", {"tradier-access-token": "t"}, {**TRADIER, "tradier-environment": "dry-run"}
        )

    assert "tradier-environment" in caplog.text
    assert not made.is_paper


def test_an_unknown_brokerage_is_let_through_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        made = settled("NewBrokerage", {"new-access-token": CANARY}, {"account": "1"})

    assert made.settings == {"id": "NewBrokerage", "new-access-token": CANARY, "account": "1"}
    assert "NewBrokerage" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("login", ["interactivebrokersbrokerage", "InteractiveBrokers"])
def test_a_misspelt_brokerage_is_refused_with_the_right_id(login: str) -> None:
    with pytest.raises(InvalidSettingError, match="'InteractiveBrokersBrokerage'"):
        settled(login, IB, IB_OTHERS)


def test_an_empty_login_is_named() -> None:
    with pytest.raises(InvalidSettingError, match=r"my_broker.*empty"):
        settled("", IB, IB_OTHERS)


def test_a_key_in_both_halves_with_two_values_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="ib-account") as error:
        settled("InteractiveBrokersBrokerage", {**IB, "ib-account": CANARY}, IB_OTHERS)

    assert CANARY not in str(error.value)


@pytest.mark.parametrize("key", ["cash", "holdings"])
def test_a_portfolio_does_not_belong_into_the_connection(key: str) -> None:
    with pytest.raises(InvalidSettingError, match=key):
        settled(PAPER_ID, {}, {key: []})


@pytest.mark.parametrize(
    ("given", "allowed"),
    [(True, True), ("true", True), ("False", False), (None, False), ("", False), (0, False)],
)
def test_allow_unattended_is_read_and_not_sent(given: Any, allowed: bool) -> None:
    made = settled("InteractiveBrokersBrokerage", IB, {**IB_OTHERS, "allow_unattended": given})

    assert made.allow_unattended is allowed
    assert "allow_unattended" not in made.settings


def test_allow_unattended_that_is_no_flag_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="allow_unattended"):
        settled("InteractiveBrokersBrokerage", IB, {**IB_OTHERS, "allow_unattended": "maybe"})


def test_every_value_of_the_password_is_to_be_masked() -> None:
    made = settled("InteractiveBrokersBrokerage", {**IB, "nested": {"deep": ["x" * 9]}}, IB_OTHERS)

    assert {"user1", CANARY, "x" * 9} <= set(made.secrets)


def test_a_secret_in_the_extra_is_masked_and_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        made = settled("TradierBrokerage", {}, {**TRADIER, "tradier-access-token": CANARY})

    assert CANARY in made.secrets
    assert "belongs in the password" in caplog.text
    assert CANARY not in caplog.text


def test_a_key_of_several_lines_is_unescaped_and_masked_in_every_shape() -> None:
    pem = "-----BEGIN KEY-----\\nMHcCAQEEIIabcdef\\n-----END KEY-----"

    made = settled("CoinbaseBrokerage", {"coinbase-api-name": "n", "coinbase-api-private-key": pem}, {})

    assert made.settings["coinbase-api-private-key"] == pem.replace("\\n", "\n")
    assert {pem, pem.replace("\\n", "\n"), "MHcCAQEEIIabcdef"} <= set(made.secrets)


def test_settings_are_hidden_in_a_repr() -> None:
    made = settled("InteractiveBrokersBrokerage", IB, IB_OTHERS)

    assert CANARY not in repr(made)


def test_numbers_and_flags_are_sent_as_text_as_the_command_line_does() -> None:
    made = settled(
        "BybitBrokerage", {"bybit-api-key": "k", "bybit-api-secret": "s"}, {"bybit-vip-level": 3, "x": True}
    )

    assert (made.settings["bybit-vip-level"], made.settings["x"]) == ("3", "true")


# --- data providers ---------------------------------------------------------------------------------


def test_data_providers_keep_their_order_of_precedence() -> None:
    made = data_provider_settings(
        [
            ("Polygon", json.dumps({"polygon-api-key": CANARY}), None, "polygon"),
            (PAPER_ID, None, None, ""),
        ]
    )

    assert list(made.settings) == ["Polygon", PAPER_ID]
    assert made.settings["Polygon"] == {"id": "Polygon", "polygon-api-key": CANARY}
    assert made.secrets == [CANARY]
    assert CANARY not in repr(made)


def test_a_data_provider_without_its_key_is_named() -> None:
    with pytest.raises(InvalidSettingError, match=r"Polygon.*conn_p.*polygon-api-key"):
        data_provider_settings([("Polygon", "", {}, "conn_p")])


def test_a_data_provider_that_comes_twice_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="twice"):
        data_provider_settings([(PAPER_ID, None, None, ""), (PAPER_ID, None, None, "")])
