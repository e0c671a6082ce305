"""Airflow hooks: connections in, clients, brokerage settings and store addresses out."""
