"""`make distributed`: two Celery workers, PostgreSQL and Redis without Docker, while things break."""
