"""The Airflow plugin that the entry point `airflow.plugins` names."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from quantconnect_provider.links import QuantConnectLiveLink, QuantConnectPageLink, QuantConnectProjectLink
from quantconnect_provider.ui import registration


class QuantConnectPlugin(AirflowPlugin):
    """Makes links known to processes that show tasks without importing their operators, and adds the page."""

    name = "quantconnect"
    operator_extra_links = [  # noqa: RUF012 - Airflow declares it as a plain list
        QuantConnectProjectLink(),
        QuantConnectLiveLink(),
        QuantConnectPageLink(),
    ]
    fastapi_apps = registration.fastapi_apps()
    react_apps = registration.react_apps()
