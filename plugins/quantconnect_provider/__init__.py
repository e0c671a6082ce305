"""QuantConnect live trading from Apache Airflow."""

from quantconnect_provider import _moved

__version__ = "0.1.0"

_moved.install()
