"""The store: its tables, how rows get into them and out again, and the rate limit that workers share."""

from __future__ import annotations

from quantconnect_provider.store.store import Store

__all__ = ["Store"]
