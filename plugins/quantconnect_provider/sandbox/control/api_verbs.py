"""Verbs about faults, the request log and how the API behaves."""

from __future__ import annotations

from typing import Any

import msgspec

from quantconnect_provider.sandbox.api_spec import RateLimit
from quantconnect_provider.sandbox.control.verb import Controlled, verb
from quantconnect_provider.sandbox.faults import FaultSpec
from quantconnect_provider.sandbox.scenario import overwrite
from quantconnect_provider.sandbox.traffic import LimitWindow


class ApiVerbs(Controlled):
    """The API's traffic and behaviour."""

    @verb
    def add_fault(self, endpoint: str = "*", **fields: Any) -> int:
        """Put a fault in force; returns its number. `fields` are those of :class:`.faults.FaultSpec`."""
        return self.world.faults.add(msgspec.convert({"endpoint": endpoint, **fields}, FaultSpec))

    @verb
    def clear_faults(self, fault_id: int | None = None) -> int:
        """Take one fault, or all, out of force, releasing hung requests; returns how many."""
        return self.world.faults.clear(fault_id)

    @verb
    def faults(self) -> list[dict[str, Any]]:
        """List the faults in force, with how many requests each has `seen` and struck (`applied`)."""
        return [fault.describe() for fault in self.world.faults.active]

    @verb
    def requests(self, endpoint: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        """List requests with a `number` above `after`: at, method, endpoint, params, outcome, errors."""
        return [msgspec.to_builtins(entry) for entry in self.world.requests.found(endpoint, after)]

    @verb
    def counters(self) -> dict[str, Any]:
        """Count requests: `requests`, `refused`, `outcomes`, by `endpoints`, and the most within 60 seconds.

        `peak_per_minute` counts all that came, `peak_let_through_per_minute` those not refused.
        """
        return self.world.requests.counters()

    @verb
    def clear_requests(self) -> None:
        """Start the request log and all counters anew."""
        self.world.requests.clear()

    @verb
    def set_rate_limit(self, requests: int | None = None, **fields: Any) -> None:
        """Limit requests from now on; None lifts the limit. `fields` are those of `api.rate_limit`."""
        if requests is None:
            self.world.limit = None
        else:
            self.world.limit = LimitWindow(msgspec.convert({"requests": requests, **fields}, RateLimit))

    @verb
    def set_api(self, **fields: Any) -> None:
        """Change the scenario's `api` part, for example ``insights={"end": "inclusive"}``."""
        overwrite(self.world.api, fields)
        if "rate_limit" in fields:
            self.world.limit = LimitWindow(self.world.api.rate_limit) if self.world.api.rate_limit else None
