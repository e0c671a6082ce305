"""What is left in the account after a liquidation, read until nothing is or a limit is reached.

The portfolio that the API shows is a snapshot up to ten minutes old, markets close, and assets can be
illiquid: holdings may stay for a while, or for good.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from quantconnect_provider.client.errors import QuantConnectError
from quantconnect_provider.live.deployment_errors import NotFlatError
from quantconnect_provider.live.polling import Polling
from quantconnect_provider.live.wind_down.steps import Action, Step

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

log = logging.getLogger(__name__)

_POLLING = Polling(interval_seconds=30.0)


@dataclass(frozen=True)
class HoldingLeft:
    """A position that is left; numbers as text, digits as the API gave them."""

    symbol: str
    quantity: str
    market_value: str | None = None

    def __str__(self) -> str:
        worth = f" worth {self.market_value}" if self.market_value is not None else ""
        return f"{self.quantity} {self.symbol}{worth}"


@dataclass(frozen=True)
class WindDownResult:
    """How a wind-down ended; goes into XCom as JSON.

    :param already_over: nothing was sent, because the deployment was over before.
    :param holdings_left: None if they were not looked at, or could not be read.
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
        before = " (it was over before)" if self.already_over else ""
        text = f"Project {self.project_id}: {self.deploy_id} is {self.status}{before}."
        if self.action == Action.LIQUIDATE.value:
            left = "could not be read" if self.holdings_left is None else _listed(self.holdings_left)
            text += f" Holdings left: {left}."
        return text


def holdings_left(client: QuantConnectClient, project_id: int) -> list[HoldingLeft]:
    """Return the positions that the newest snapshot of the project's portfolio shows.

    :raises QuantConnectError: if it cannot be read.
    """
    portfolio = client.read_portfolio(project_id)
    return [
        HoldingLeft(
            symbol=symbol_id,
            quantity=str(holding.quantity),
            market_value=None if holding.market_value is None else str(holding.market_value),
        )
        for symbol_id, holding in portfolio.holdings.items()
        if holding.quantity != 0
    ]


def must_be_awaited(action: Action | str, step: Step) -> bool:
    """Whether holdings can still be on their way out, so that reading the portfolio once is not enough."""
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

    One that defers watches ``holdings_left`` in its trigger and then calls this with a deadline of 0.

    :param flat_deadline: unix seconds until when the portfolio is read again while holdings are left.
    """
    left: list[HoldingLeft] | None = None
    if Action(action) is Action.LIQUIDATE:
        until = flat_deadline if must_be_awaited(action, step) else 0.0
        left = _read_until_flat(client, step.project_id, until, polling)
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


def _read_until_flat(
    client: QuantConnectClient,
    project_id: int,
    until: float,
    polling: Polling,
) -> list[HoldingLeft] | None:
    left: list[HoldingLeft] | None = None
    while True:
        try:
            left = holdings_left(client, project_id)
            if not left:
                return left
            log.info("Project %s still holds %s.", project_id, _listed(left))
        except QuantConnectError as error:
            log.warning("The portfolio of project %s cannot be read: %s", project_id, error)
            if not error.retryable:
                return None
        if polling.clock() >= until:
            return left
        polling.pause(until)


def _listed(left: list[HoldingLeft]) -> str:
    return ", ".join(str(entry) for entry in left) or "none"
