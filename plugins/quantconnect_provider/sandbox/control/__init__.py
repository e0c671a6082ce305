"""The control verbs; importing this package registers all of them."""

from __future__ import annotations

from quantconnect_provider.sandbox.control import deployments, insights, traffic
from quantconnect_provider.sandbox.control.registry import VerbError, perform
from quantconnect_provider.sandbox.control.verbs import ControlVerbs

__all__ = ["ControlVerbs", "VerbError", "deployments", "insights", "perform", "traffic"]
