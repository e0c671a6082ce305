"""When a person must approve before money moves."""

from __future__ import annotations

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.live.brokerages.settings import BrokerageSettings

APPROVALS = ("auto", "always", "never")


def approval_needed(approval: str, brokerage: BrokerageSettings) -> bool:
    """Whether a person must approve a deployment: ``auto`` asks unless it is paper trading.

    :raises InvalidSettingError: if ``never`` is given for real money and the brokerage's connection does not
        allow that.
    """
    _check_approval(approval)
    if approval == "never" and not brokerage.is_paper and not brokerage.allow_unattended:
        raise InvalidSettingError(
            f"approval is 'never', and {brokerage.label} is not proven to be paper trading.",
            advice="Set approval to 'auto', or allow this by allow_unattended in the brokerage connection.",
        )
    return approval == "always" or (approval == "auto" and not brokerage.is_paper)


def wind_down_approval_needed(approval: str, action: str) -> bool:
    """Whether a person must approve a wind-down: ``auto`` asks before liquidating."""
    _check_approval(approval)
    return approval == "always" or (approval == "auto" and action == "liquidate")


def _check_approval(approval: str) -> None:
    if approval not in APPROVALS:
        raise InvalidSettingError(f"approval is {approval!r}.", advice=f"Use {', '.join(APPROVALS)}.")
