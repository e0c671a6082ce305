"""Live deployments that are safe with real money: made at most once, waited for, wound down on evidence.

Plain Python without Airflow; the operators are thin over it.
"""
