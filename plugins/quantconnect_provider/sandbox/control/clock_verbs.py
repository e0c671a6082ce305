"""Verbs about the sandbox's time, and about beginning anew."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.control.verb import Controlled, verb


class ClockVerbs(Controlled):
    """Time."""

    @verb
    def now(self) -> float:
        """Return the sandbox's time, unix seconds."""
        return self.world.clock.now()

    @verb
    def advance(self, seconds: float) -> float:
        """Jump forward in time, letting everything happen on the way; returns the new time."""
        self.world.clock.advance(seconds)
        return self.world.tick()

    @verb
    def set_speed(self, speed: float) -> None:
        """Let so many sandbox seconds pass in each real second; 0 stands still."""
        self.world.clock.set_speed(speed)

    @verb
    def reset(self, scenario: dict[str, Any] | None = None) -> None:
        """Begin anew with this scenario (None: the one it was started with), faults and log included."""
        self.world.load(scenario)
