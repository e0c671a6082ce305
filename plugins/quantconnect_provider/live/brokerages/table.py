"""What each brokerage of live/create wants: one row each, and nothing about a brokerage anywhere else.

Keys from QuantConnect's documentation of live/create and from the modules of its command line. A brokerage
that is not here is let through with a warning, and counts as real money.
"""

from __future__ import annotations

from quantconnect_provider.client.live_request import PAPER_ID
from quantconnect_provider.live.brokerages.brokerage import (
    Brokerage,
    Settings,
    all_of,
    always,
    setting_is,
    setting_is_not,
    setting_matches,
    time_of_day,
)

__all__ = ["BROKERAGES", "DATA_ONLY", "PAPER_ID", "Brokerage"]


def _secret(*keys: str) -> frozenset[str]:
    return frozenset(keys)


def _binance_keys(settings: Settings) -> tuple[str, ...]:
    prefix = "binanceus" if settings.get("binance-exchange-name") == "BinanceUS" else "binance"
    return (f"{prefix}-api-key", f"{prefix}-api-secret")


_LIVE_PAPER = ("live", "paper")

BROKERAGES: dict[str, Brokerage] = {
    PAPER_ID: Brokerage("QuantConnect paper trading", paper=always, cash=True, holdings=True, data_keys=()),
    "InteractiveBrokersBrokerage": Brokerage(
        "Interactive Brokers",
        required=("ib-user-name", "ib-account", "ib-password", "ib-weekly-restart-utc-time"),
        optional=("ib-financial-advisors-group-filter", "ib-trading-mode"),
        secret=_secret("ib-user-name", "ib-password"),
        account="ib-account",
        choices={"ib-trading-mode": _LIVE_PAPER},
        # Interactive Brokers refuses a later restart only when the algorithm logs in.
        checks=(time_of_day("ib-weekly-restart-utc-time", latest="23:30:00"),),
        # The numbers of its paper accounts are DU and digits.
        paper=all_of(setting_matches("ib-account", r"DU\d+"), setting_is_not("ib-trading-mode", "live")),
    ),
    "TradierBrokerage": Brokerage(
        "Tradier",
        required=("tradier-account-id", "tradier-access-token", "tradier-environment"),
        account="tradier-account-id",
        secret=_secret("tradier-access-token"),
        choices={"tradier-environment": _LIVE_PAPER},
        paper=setting_is("tradier-environment", "paper"),
    ),
    "OandaBrokerage": Brokerage(
        "Oanda",
        required=("oanda-account-id", "oanda-access-token", "oanda-environment"),
        account="oanda-account-id",
        secret=_secret("oanda-access-token"),
        choices={"oanda-environment": ("Practice", "Trade")},
        paper=setting_is("oanda-environment", "Practice"),
    ),
    "BitfinexBrokerage": Brokerage(
        "Bitfinex",
        required=("bitfinex-api-key", "bitfinex-api-secret"),
        secret=_secret("bitfinex-api-key", "bitfinex-api-secret"),
    ),
    "CoinbaseBrokerage": Brokerage(
        "Coinbase",
        required=("coinbase-api-name", "coinbase-api-private-key"),
        secret=_secret("coinbase-api-name", "coinbase-api-private-key"),
        holdings=True,
        unescape=frozenset({"coinbase-api-private-key"}),
    ),
    "BinanceBrokerage": Brokerage(
        "Binance",
        required=("binance-exchange-name",),
        also_required=_binance_keys,
        optional=(
            "binance-api-key",
            "binance-api-secret",
            "binanceus-api-key",
            "binanceus-api-secret",
            "binance-use-testnet",
        ),
        secret=_secret("binance-api-key", "binance-api-secret", "binanceus-api-key", "binanceus-api-secret"),
        choices={
            "binance-exchange-name": (
                "Binance",
                "BinanceUS",
                "Binance-USDM-Futures",
                "Binance-COIN-Futures",
            ),
            "binance-use-testnet": _LIVE_PAPER,
        },
        # The test net exists for the spot exchange only.
        paper=all_of(
            setting_is("binance-exchange-name", "Binance"), setting_is("binance-use-testnet", "paper")
        ),
        holdings=True,
    ),
    "KrakenBrokerage": Brokerage(
        "Kraken",
        required=("kraken-api-key", "kraken-api-secret", "kraken-verification-tier"),
        secret=_secret("kraken-api-key", "kraken-api-secret"),
        choices={"kraken-verification-tier": ("Starter", "Intermediate", "Pro")},
        holdings=True,
    ),
    "BybitBrokerage": Brokerage(
        "Bybit",
        required=("bybit-api-key", "bybit-api-secret", "bybit-vip-level"),
        optional=("bybit-use-testnet",),
        secret=_secret("bybit-api-key", "bybit-api-secret"),
        choices={"bybit-use-testnet": ("live", "paper", "demo")},
        paper=setting_is("bybit-use-testnet", "paper", "demo"),
        holdings=True,
    ),
    "TradingTechnologiesBrokerage": Brokerage(
        "Trading Technologies",
        required=(
            "tt-user-name",
            "tt-session-password",
            "tt-account-name",
            "tt-rest-app-key",
            "tt-rest-app-secret",
            "tt-rest-environment",
            "tt-order-routing-sender-comp-id",
        ),
        account="tt-account-name",
        secret=_secret("tt-session-password", "tt-rest-app-key", "tt-rest-app-secret"),
        choices={"tt-rest-environment": ("live", "uat")},
        paper=setting_is("tt-rest-environment", "uat"),
        cash=True,
        needs_cash=True,
    ),
    "AlpacaBrokerage": Brokerage(
        "Alpaca",
        data_keys=("alpaca-api-key", "alpaca-api-secret"),
        required=("alpaca-access-token", "alpaca-environment"),
        optional=("alpaca-api-key", "alpaca-api-secret"),
        secret=_secret("alpaca-access-token", "alpaca-api-key", "alpaca-api-secret"),
        choices={"alpaca-environment": _LIVE_PAPER},
        paper=setting_is("alpaca-environment", "paper"),
    ),
    "TradeStationBrokerage": Brokerage(
        "TradeStation",
        required=(
            "trade-station-account-id",
            "trade-station-refresh-token",
            "trade-station-environment",
        ),
        account="trade-station-account-id",
        optional=("trade-station-client-id",),
        secret=_secret("trade-station-refresh-token"),
        choices={"trade-station-environment": _LIVE_PAPER},
        paper=setting_is("trade-station-environment", "paper"),
    ),
    "TastytradeBrokerage": Brokerage(
        "Tastytrade",
        required=("tastytrade-account-number", "tastytrade-refresh-token"),
        account="tastytrade-account-number",
        secret=_secret("tastytrade-refresh-token"),
    ),
    "CharlesSchwabBrokerage": Brokerage(
        "Charles Schwab",
        required=("charles-schwab-account-number",),
        account="charles-schwab-account-number",
        optional=("charles-schwab-user-name",),
    ),
    "WebullBrokerage": Brokerage(
        "Webull",
        required=("webull-app-key", "webull-app-secret", "webull-account-id"),
        account="webull-account-id",
        optional=("webull-use-2fa",),
        secret=_secret("webull-app-key", "webull-app-secret"),
    ),
    "PublicBrokerage": Brokerage(
        "Public",
        required=("public-secret-key", "public-account-number"),
        account="public-account-number",
        secret=_secret("public-secret-key"),
    ),
    # The id is inferred from those of the others: the documentation does not print it yet.
    "ClearStreetBrokerage": Brokerage(
        "Clear Street",
        required=("clearstreet-access-token", "clearstreet-account-id"),
        account="clearstreet-account-id",
        secret=_secret("clearstreet-access-token"),
    ),
    "WolverineBrokerage": Brokerage(
        "Wolverine",
        required=("wolverine-on-behalf-of-comp-id", "wolverine-account"),
        account="wolverine-account",
        cash=True,
        holdings=True,
    ),
    "RBIBrokerage": Brokerage(
        "RBI",
        required=("rbi-on-behalf-of-comp-id", "rbi-account"),
        account="rbi-account",
        cash=True,
        holdings=True,
    ),
    "TerminalLinkBrokerage": Brokerage(
        "Bloomberg Terminal Link",
        required=(
            "terminal-link-connection-type",
            "terminal-link-server-auth-id",
            "terminal-link-environment",
            "terminal-link-server-host",
            "terminal-link-server-port",
            "terminal-link-emsx-broker",
            "terminal-link-emsx-account",
            "terminal-link-openfigi-api-key",
        ),
        account="terminal-link-emsx-account",
        optional=("terminal-link-emsx-team",),
        secret=_secret("terminal-link-server-auth-id", "terminal-link-openfigi-api-key"),
        choices={"terminal-link-environment": ("Production", "Beta")},  # Beta is no proof of paper
        cash=True,
        holdings=True,
    ),
    "BloombergFixBrokerage": Brokerage(
        "Bloomberg FIX",
        required=(
            "bloomberg-fix-sender-sub-id",
            "bloomberg-fix-on-behalf-of-comp-id",
            "bloomberg-fix-deliver-to-comp-id",
            "bloomberg-fix-environment",
        ),
        cash=True,
        holdings=True,
    ),
}

DATA_ONLY: dict[str, tuple[str, ...]] = {
    "Polygon": ("polygon-api-key",),
    "CoinApi": ("coinapi-api-key",),
}
"""Data providers that are no brokerage, and the keys that they require."""
