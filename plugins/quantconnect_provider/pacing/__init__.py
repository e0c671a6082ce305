"""One rate limit for all workers that use a connection, kept in the store's database."""

from __future__ import annotations

from quantconnect_provider.pacing.schedule import StoreSchedule, pace_key, shared_schedule

__all__ = ["StoreSchedule", "pace_key", "shared_schedule"]
