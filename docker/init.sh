#!/bin/bash
# Before any component starts, on every `docker compose up`: both databases get the schema of this image's version,
# and the pool of everything that talks to the API exists. A second run changes nothing.
set -euo pipefail

airflow db migrate
airflow pools get quantconnect_api >/dev/null 2>&1 ||
    airflow pools set quantconnect_api "${QUANTCONNECT_POOL_SLOTS:-64}" \
        "Tasks that talk to QuantConnect, waiting ones included" --include-deferred
python /opt/airflow/docker/upgrade_store.py
