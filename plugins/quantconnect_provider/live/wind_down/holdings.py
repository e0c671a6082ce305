"""Which holdings are left after a liquidation, read until none are or until a time limit.

The portfolio that the API shows is a snapshot up to ten minutes old, markets close, and assets can be
illiquid: holdings may stay for a while, or for good.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.deployment_errors import NotFlatError
from quantconnect_provider.live.polling import FailureBudget, Polling, polls
from quantconnect_provider.live.wind_down.steps import Action, Step

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_POLLING = Polling(interval_seconds=30.0)


@dataclass(frozen=True)
class HoldingLeft:
    """A position that is left; numbers as text, digits as the API gave them.

    :param symbol: the instrument, as `instrument_name` writes it.
    """

    symbol: str
    quantity: str
    market_value: str | None = None

    def __str__(self) -> str:
        worth = f" worth {self.market_value}" if self.market_value is not None else ""
        return f"{self.quantity} {self.symbol}{worth}"


@dataclass(frozen=True)
class WindDownResult:
    """How a wind-down ended; goes into XCom as JSON.

    :param already_over: nothing was sent, because the deployment was over already.
    :param holdings_left: None if they were not read, or could not be read.
    """

    project_id: int
    deploy_id: str
    action: str
    status: str
    already_over: bool = False
    holdings_left: list[HoldingLeft] | None = field(default=None)

    @property
    def flat(self) -> bool | None:
        """Whether no holdings are left; None if that is not known."""
        return None if self.holdings_left is None else not self.holdings_left

    def to_json(self) -> dict[str, Any]:
        """Return it for XCom."""
        return {**asdict(self), "flat": self.flat}

    def __str__(self) -> str:
        already = "was already" if self.already_over else "is"
        text = f"Project {self.project_id}: {self.deploy_id} {already} {self.status}."
        if self.action == Action.LIQUIDATE.value:
            text += f" Holdings left: {describe_left(self.holdings_left)}."
        return text


def instrument_name(symbol: str, symbol_id: str) -> str:
    """Return how a person reads an instrument: its security id, after its symbol where that differs.

    E.g. ``SPY R735QTJ8XC9X``, and ``META (FB V6OIPNZEM8V9)`` for a symbol that was renamed.
    """
    return (
        symbol_id
        if symbol in ("", symbol_id, symbol_id.split(" ", maxsplit=1)[0])
        else f"{symbol} ({symbol_id})"
    )


def describe_left(left: Sequence[HoldingLeft | str] | None) -> str:
    """Return the holdings in one line; ``could not be read`` for None, which never means none."""
    return "could not be read" if left is None else ", ".join(map(str, left)) or "none"


def holdings_left(client: QuantConnectClient, project_id: int) -> list[HoldingLeft]:
    """Return the positions that the newest snapshot of the project's portfolio shows.

    :raises QuantConnectError: if it cannot be read.
    """
    portfolio = client.read_portfolio(project_id)
    return [
        HoldingLeft(
            symbol=instrument_name(holding.symbol, symbol_id),
            quantity=str(holding.quantity),
            market_value=None if holding.market_value is None else str(holding.market_value),
        )
        for symbol_id, holding in portfolio.holdings.items()
        if holding.quantity != 0
    ]


def must_be_awaited(action: Action | str, step: Step) -> bool:
    """Whether holdings may still be on sale, so that reading the portfolio once is not enough."""
    return Action(action) is Action.LIQUIDATE and (not step.already_over or step.status == "Liquidated")


def conclude(
    client: QuantConnectClient,
    step: Step,
    action: Action | str,
    *,
    flat_deadline: float,
    polling: Polling = _POLLING,
) -> WindDownResult:
    """Return the result of a wind-down that is over; after a liquidation, read what is left of the holdings.

    A task that defers polls `holdings_left` in its trigger, and then calls this with a deadline of 0.

    :param flat_deadline: unix seconds until when the portfolio is read again while holdings are left.
    """
    left: list[HoldingLeft] | None = None
    if Action(action) is Action.LIQUIDATE:
        until = flat_deadline if must_be_awaited(action, step) else 0.0
        left = _poll_holdings(client, step.project_id, until, polling)
    return WindDownResult(
        project_id=step.project_id,
        deploy_id=step.deploy_id,
        action=Action(action).value,
        status=step.status,
        already_over=step.already_over,
        holdings_left=left,
    )


def check_flat(result: WindDownResult) -> None:
    """Raise if a liquidation cannot be shown to have left no holdings (``require_flat``).

    :raises NotFlatError: naming what is left.
    """
    if result.action == Action.LIQUIDATE.value and not result.flat:
        raise NotFlatError(str(result), endpoint="live/portfolio/read")


def _poll_holdings(
    client: QuantConnectClient, project_id: int, until: float, polling: Polling
) -> list[HoldingLeft] | None:
    """Read the portfolio until no holdings are left; return the last reading, None if it failed."""
    left: list[HoldingLeft] | None = None
    budget = FailureBudget()
    try:
        for left in polls(lambda: holdings_left(client, project_id), polling, until, budget):
            if not left:
                return left
            log.info("Project %s still holds %s.", project_id, describe_left(left))
    except QuantConnectError as error:
        log.warning("The portfolio of project %s could not be read: %s", project_id, error)
        return None
    return left if budget.last_error is None else None
