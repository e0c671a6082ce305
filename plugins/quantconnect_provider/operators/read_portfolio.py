"""Reading what a project's live deployment owns."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from quantconnect_provider.live.wind_down.holdings import instrument_name
from quantconnect_provider.plain_text import counted, log_table
from quantconnect_provider.tasks.inputs import project_id_of
from quantconnect_provider.tasks.operator import QuantConnectOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from quantconnect_provider.client.portfolio import CashHolding, Holding

log = logging.getLogger(__name__)

MOST_ROWS = 50
"""Holdings, and currencies, in the result and in the log; more are counted."""


class QuantConnectReadPortfolioOperator(QuantConnectOperator):
    """Reads cash and holdings of a project's live deployment (live/portfolio/read), up to ten minutes old.

    All of them are logged and returned, up to :data:`MOST_ROWS` of each: the most valuable holdings. The
    result's ``holdings_left_out`` and ``cash_left_out`` count the others; the harvest keeps every position
    in ``quantconnect_positions``. Numbers are text, with the digits that the API gave.

    :param project_id: the project.
    :param quantconnect_conn_id: id of the connection of type `quantconnect`.
    """

    template_fields: Sequence[str] = ("project_id", "quantconnect_conn_id")

    def __init__(self, *, project_id: int | str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask live/portfolio/read once."""
        project_id = project_id_of(self.project_id)
        with self.session() as client:
            portfolio = client.read_portfolio(project_id)
        held = [each for each in portfolio.holdings.values() if each.quantity != 0]
        held.sort(key=lambda each: (-_worth(each), each.symbol_id))
        holdings = [_holding(each) for each in held[:MOST_ROWS]]
        cash = [_cash(each) for _, each in sorted(portfolio.cash.items())[:MOST_ROWS]]
        log.info(
            "Project %s: %s, cash in %s.",
            project_id,
            counted(len(held), "holding"),
            ", ".join(sorted(portfolio.cash)[:MOST_ROWS]) or "no currency",
        )
        for rows in (holdings, cash):
            heads = list(rows[0]) if rows else []
            cells = [["" if cell is None else cell for cell in row.values()] for row in rows]
            log_table(log, heads, cells, numbers=heads[1:])
        left_out = {
            "holdings_left_out": len(held) - len(holdings),
            "cash_left_out": len(portfolio.cash) - len(cash),
        }
        if any(left_out.values()):
            log.warning(
                "Left out of the log and of the result: %s of least value, %s of cash.",
                counted(left_out["holdings_left_out"], "holding"),
                counted(left_out["cash_left_out"], "row"),
            )
        return {"project_id": project_id, "holdings": holdings, "cash": cash, **left_out}


def _worth(holding: Holding) -> Decimal:
    """Return the absolute market value in the account's currency, for the order only."""
    value = holding.market_value
    if value is None:
        value = holding.quantity * (
            holding.average_price if holding.market_price is None else holding.market_price
        )
    return abs(value * (1 if holding.conversion_rate is None else holding.conversion_rate))


def _holding(holding: Holding) -> dict[str, str | None]:
    return {
        "symbol": instrument_name(holding.symbol, holding.symbol_id),
        "quantity": str(holding.quantity),
        "average_price": str(holding.average_price),
        "market_price": _text(holding.market_price),
        "market_value": _text(holding.market_value),
        "unrealized": _text(holding.unrealized),
    }


def _cash(cash: CashHolding) -> dict[str, str | None]:
    return {
        "currency": cash.currency,
        "amount": str(cash.amount),
        "value_in_account_currency": _text(cash.value_in_account_currency),
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)
