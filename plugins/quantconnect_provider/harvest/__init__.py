"""Reads insights of live deployments into a database: incremental, exactly once, as fast as the API allows.

>>> with Store.open("sqlite:////path/quantconnect.db") as store:  # doctest: +SKIP
...     report = harvest(client, store, client.list_live())
...     report.raise_if_failed()
"""

from quantconnect_provider.harvest.engine import harvest
from quantconnect_provider.harvest.errors import HarvestFailedError, UnstableListError
from quantconnect_provider.harvest.report import DeploymentResult, HarvestReport
from quantconnect_provider.harvest.settings import HarvestSettings
from quantconnect_provider.harvest.store import Store
from quantconnect_provider.harvest.summary import DeploymentCount, count_deployments, latest_harvests

__all__ = [
    "DeploymentCount",
    "DeploymentResult",
    "HarvestFailedError",
    "HarvestReport",
    "HarvestSettings",
    "Store",
    "UnstableListError",
    "count_deployments",
    "harvest",
    "latest_harvests",
]
