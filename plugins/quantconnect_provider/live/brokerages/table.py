"""What each brokerage of live/create wants: one row each.

Keys from QuantConnect's documentation of live/create and from the modules of its command line. A brokerage
that is not here is let through with a warning, and counts as real money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PAPER_ID = "QuantConnectBrokerage"


@dataclass(frozen=True)
class Brokerage:
    """One brokerage.

    :param label: its name for people.
    :param required: keys without which live/create is refused.
    :param optional: keys that it knows besides.
    :param secret: which of the keys belong into the connection's password.
    :param choices: the values that a key may have.
    :param paper: key and values that prove that no real money moves; empty when nothing can prove it.
    :param cash: whether live/create takes ``cash`` for it, or must have it (``needs_cash``).
    :param holdings: whether live/create takes ``holdings`` for it.
    :param unescape: keys of several lines that are often pasted with backslash-n in place of line breaks.
    """

    label: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    secret: frozenset[str] = frozenset()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    paper: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cash: bool = False
    needs_cash: bool = False
    holdings: bool = False
    unescape: frozenset[str] = frozenset()


def _secret(*keys: str) -> frozenset[str]:
    return frozenset(keys)


_LIVE_PAPER = ("live", "paper")

BROKERAGES: dict[str, Brokerage] = {
    PAPER_ID: Brokerage("QuantConnect paper trading", cash=True, holdings=True),
    "InteractiveBrokersBrokerage": Brokerage(
        "Interactive Brokers",
        required=("ib-user-name", "ib-account", "ib-password", "ib-weekly-restart-utc-time"),
        optional=("ib-financial-advisors-group-filter", "ib-trading-mode"),
        secret=_secret("ib-user-name", "ib-password"),
        choices={"ib-trading-mode": _LIVE_PAPER},
        # Its paper accounts are told by their number, DU and digits: see is_paper.
    ),
    "TradierBrokerage": Brokerage(
        "Tradier",
        required=("tradier-account-id", "tradier-access-token", "tradier-environment"),
        secret=_secret("tradier-access-token"),
        choices={"tradier-environment": _LIVE_PAPER},
        paper={"tradier-environment": ("paper",)},
    ),
    "OandaBrokerage": Brokerage(
        "Oanda",
        required=("oanda-account-id", "oanda-access-token", "oanda-environment"),
        secret=_secret("oanda-access-token"),
        choices={"oanda-environment": ("Practice", "Trade")},
        paper={"oanda-environment": ("Practice",)},
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
        required=("binance-exchange-name",),  # and the two keys of the exchange: see check_keys
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
        paper={"binance-use-testnet": ("paper",)},
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
        paper={"bybit-use-testnet": ("paper", "demo")},
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
        secret=_secret("tt-session-password", "tt-rest-app-key", "tt-rest-app-secret"),
        choices={"tt-rest-environment": ("live", "uat")},
        paper={"tt-rest-environment": ("uat",)},
        cash=True,
        needs_cash=True,
    ),
    "AlpacaBrokerage": Brokerage(
        "Alpaca",
        required=("alpaca-access-token", "alpaca-environment"),
        optional=("alpaca-api-key", "alpaca-api-secret"),
        secret=_secret("alpaca-access-token", "alpaca-api-key", "alpaca-api-secret"),
        choices={"alpaca-environment": _LIVE_PAPER},
        paper={"alpaca-environment": ("paper",)},
    ),
    "TradeStationBrokerage": Brokerage(
        "TradeStation",
        required=(
            "trade-station-account-id",
            "trade-station-refresh-token",
            "trade-station-environment",
        ),
        optional=("trade-station-client-id",),
        secret=_secret("trade-station-refresh-token"),
        choices={"trade-station-environment": _LIVE_PAPER},
        paper={"trade-station-environment": ("paper",)},
    ),
    "TastytradeBrokerage": Brokerage(
        "Tastytrade",
        required=("tastytrade-account-number", "tastytrade-refresh-token"),
        secret=_secret("tastytrade-refresh-token"),
    ),
    "CharlesSchwabBrokerage": Brokerage(
        "Charles Schwab",
        required=("charles-schwab-account-number",),
        optional=("charles-schwab-user-name",),
    ),
    "WebullBrokerage": Brokerage(
        "Webull",
        required=("webull-app-key", "webull-app-secret", "webull-account-id"),
        optional=("webull-use-2fa",),
        secret=_secret("webull-app-key", "webull-app-secret"),
    ),
    "PublicBrokerage": Brokerage(
        "Public",
        required=("public-secret-key", "public-account-number"),
        secret=_secret("public-secret-key"),
    ),
    "WolverineBrokerage": Brokerage(
        "Wolverine",
        required=("wolverine-on-behalf-of-comp-id", "wolverine-account"),
        cash=True,
        holdings=True,
    ),
    "RBIBrokerage": Brokerage(
        "RBI",
        required=("rbi-on-behalf-of-comp-id", "rbi-account"),
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

DATA_PROVIDERS: dict[str, tuple[str, ...]] = {
    PAPER_ID: (),
    "Polygon": ("polygon-api-key",),
    "CoinApi": ("coinapi-api-key",),
    "AlpacaBrokerage": ("alpaca-api-key", "alpaca-api-secret"),
}
"""Data providers whose keys differ from their brokerage's, and which keys they must have."""
