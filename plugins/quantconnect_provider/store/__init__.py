"""The store: its tables, how rows get into them and out again, and the rate limit that workers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider._lazy import lazy_names

if TYPE_CHECKING:
    from quantconnect_provider.store.log_exports import SharedLogExports
    from quantconnect_provider.store.queries import DeploymentCount, count_deployments, latest_harvests
    from quantconnect_provider.store.rate_limit import rate_limit_key, shared_slots
    from quantconnect_provider.store.store import Store

__all__ = [
    "DeploymentCount",
    "SharedLogExports",
    "Store",
    "count_deployments",
    "latest_harvests",
    "rate_limit_key",
    "shared_slots",
]

__getattr__ = lazy_names(
    __name__,
    {
        "log_exports": ("SharedLogExports",),
        "queries": ("DeploymentCount", "count_deployments", "latest_harvests"),
        "rate_limit": ("rate_limit_key", "shared_slots"),
        "store": ("Store",),
    },
)
