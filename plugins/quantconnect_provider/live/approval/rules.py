"""When a person must say yes before money moves."""

from __future__ import annotations

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.live.brokerages.settings import BrokerageSettings

APPROVALS = ("auto", "always", "never")


def approval_needed(approval: str, brokerage: BrokerageSettings) -> bool:
    """Whether a person must approve a deployment: asked unless paper; always; never.

    :raises InvalidSettingError: if ``never`` is asked for real money and the brokerage's connection does
        not allow it.
    """
    _check_approval(approval)
    if approval == "never" and not brokerage.is_paper and not brokerage.allow_unattended:
        raise InvalidSettingError(
            f"approval is 'never', but {brokerage.label} cannot be shown to be paper trading.",
            advice="Set allow_unattended in the brokerage connection's extra to allow this, or use 'auto'.",
        )
    return approval == "always" or (approval == "auto" and not brokerage.is_paper)


def wind_down_approval_needed(approval: str, action: str) -> bool:
    """Whether a person must approve a wind-down: asked for liquidate; always; never."""
    _check_approval(approval)
    return approval == "always" or (approval == "auto" and action == "liquidate")


def _check_approval(approval: str) -> None:
    if approval not in APPROVALS:
        raise InvalidSettingError(f"approval is {approval!r}.", advice=f"Use {', '.join(APPROVALS)}.")
