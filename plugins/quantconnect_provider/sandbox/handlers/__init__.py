"""The endpoints; importing this package registers all of them."""

from __future__ import annotations

from quantconnect_provider.sandbox.handlers import builds, data, insights, live, organization, projects

__all__ = ["builds", "data", "insights", "live", "organization", "projects"]
