#!/bin/bash
# Points the connection quantconnect_default at the sandbox's container, unless it is defined already.
set -euo pipefail

if airflow connections get quantconnect_default >/dev/null 2>&1; then
    echo "sandbox: the connection quantconnect_default is there already and stays as it is"
else
    # All keys of the form, since editing shows only those that are stored; the port, since without a stored one
    # the UI's Test button refuses to test.
    airflow connections add quantconnect_default --conn-json '{
        "conn_type": "quantconnect", "host": "http://sandbox:5612/api/v2", "port": 443,
        "login": "1", "password": "sandbox", "description": "The local QuantConnect of the profile sandbox",
        "extra": {"organization_id": null, "requests_per_minute": 600, "timeout_seconds": 30}}'
fi
