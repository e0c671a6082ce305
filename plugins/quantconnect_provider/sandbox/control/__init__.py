"""The control verbs."""

from __future__ import annotations

from quantconnect_provider.sandbox.control.verb import VerbError, perform
from quantconnect_provider.sandbox.control.verbs import ControlVerbs, LocalVerbs

__all__ = ["ControlVerbs", "LocalVerbs", "VerbError", "perform"]
