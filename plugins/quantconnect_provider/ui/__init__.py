"""What Airflow's own interface shows of QuantConnect: a page, a panel on the home page, a tab on tasks.

Only the API server imports what is in here, ``registration`` aside, and that when it is first asked for it.
"""
