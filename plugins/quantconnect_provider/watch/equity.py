"""Rows of ``quantconnect_equity``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from quantconnect_provider.watch.numbers import read_amount

# Columns, and what live/read calls them among its runtime statistics.
STATISTICS = {
    "unrealized": "Unrealized",
    "holdings": "Holdings",
    "net_profit": "Net Profit",
    "fees": "Fees",
    "volume": "Volume",
    "return_fraction": "Return",
    "sharpe_probability": "Probabilistic Sharpe Ratio",
}
EQUITY = "Equity"


def equity_row(
    *,
    project_id: int,
    deploy_id: str,
    status: str,
    observed_at: datetime,
    equity: float | None,
    statistics: Mapping[str, str],
) -> dict[str, Any]:
    """Return the row of one observation; what is no number is None.

    :param equity: as live/list has it, in the account's currency; where it has none, that of the statistics.
    :param statistics: runtime statistics of live/read, by the API's names; empty if they were not read.
    """
    numbers = {column: read_amount(statistics.get(name)) for column, name in STATISTICS.items()}
    return {
        "deploy_id": deploy_id,
        "observed_at": observed_at,
        "project_id": project_id,
        "status": status,
        "equity": read_amount(statistics.get(EQUITY)) if equity is None else equity,
        **numbers,
    }
