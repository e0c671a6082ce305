"""QuantConnect live trading, run from Apache Airflow."""

__version__ = "0.1.0"
