"""`make soak`: days of live trading in minutes, through a whole Airflow, against a sandbox with faults."""
