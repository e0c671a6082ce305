"""When a person must approve, and what that person is shown."""

from quantconnect_provider.live.approval.rules import APPROVALS, approval_needed, wind_down_approval_needed

__all__ = ["APPROVALS", "approval_needed", "wind_down_approval_needed"]
