"""Stopping and liquidating, believed only when the deployment is seen to be over."""

from quantconnect_provider.live.wind_down.steps import Action, Step, WindDown

__all__ = ["Action", "Step", "WindDown"]
