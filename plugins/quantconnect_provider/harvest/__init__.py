"""Reads insights of live deployments into a database: incremental, exactly once, as fast as the API allows.

>>> with Store.open("sqlite:////path/quantconnect.db") as store:  # doctest: +SKIP
...     report = harvest(client, store, client.list_live())
...     report.raise_if_failed()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantconnect_provider._lazy import lazy_names

if TYPE_CHECKING:
    from quantconnect_provider.harvest.engine import harvest
    from quantconnect_provider.harvest.harvest_errors import HarvestFailedError, UnstableListError
    from quantconnect_provider.harvest.options import HarvestOptions
    from quantconnect_provider.harvest.report import DeploymentResult, HarvestReport
    from quantconnect_provider.store.queries import DeploymentCount, count_deployments, latest_harvests
    from quantconnect_provider.store.store import Store

__all__ = [
    "DeploymentCount",
    "DeploymentResult",
    "HarvestFailedError",
    "HarvestOptions",
    "HarvestReport",
    "Store",
    "UnstableListError",
    "count_deployments",
    "harvest",
    "latest_harvests",
]

__getattr__ = lazy_names(
    __name__,
    {
        "engine": ("harvest",),
        "harvest_errors": ("HarvestFailedError", "UnstableListError"),
        "options": ("HarvestOptions",),
        "report": ("DeploymentResult", "HarvestReport"),
        ".store": ("DeploymentCount", "Store", "count_deployments", "latest_harvests"),
    },
)
