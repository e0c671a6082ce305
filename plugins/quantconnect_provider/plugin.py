"""The Airflow plugin that the entry point `airflow.plugins` names."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from quantconnect_provider.links import QuantConnectProjectLink


class QuantConnectPlugin(AirflowPlugin):
    """Makes the project link known to processes that show tasks without importing their operators."""

    name = "quantconnect"
    operator_extra_links = [QuantConnectProjectLink()]  # noqa: RUF012 - Airflow declares it as a plain list
