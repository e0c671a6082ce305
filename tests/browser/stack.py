"""Brings up a whole Airflow with a login and no connection, and a sandbox beside it: what a newcomer has.

A program, because Airflow reads its settings when it is imported: ``python -m tests.browser.stack``. It
prints JSON with where everything is; ``python -m dev.down`` with the same ``AIRFLOW_HOME`` ends it.
"""

from __future__ import annotations

import json

from dev import processes, up
from dev.api import answers
from dev.ports import LOOPBACK, free_port
from dev.settings import (
    LOGS,
    PYTHON,
    RECORDS,
    SANDBOX_TOKEN,
    SANDBOX_USER,
    USER,
    login_environment,
    stored_password,
    up_environment,
)


def main() -> None:
    """Start everything; leave nothing when it fails."""
    environment = up_environment()
    address = f"http://{LOOPBACK}:{environment['AIRFLOW__API__PORT']}"
    up.metadata(environment, "prepare")
    port = free_port()
    sandbox = f"http://{LOOPBACK}:{port}/api/v2"
    command = [PYTHON, "-m", "quantconnect_provider.sandbox", "--port", str(port)]
    command += ["--user-id", SANDBOX_USER, "--api-token", SANDBOX_TOKEN]
    record = processes.start("sandbox", command, LOGS / "sandbox.log", RECORDS, environment)
    up.wait_for([record], lambda: answers(sandbox), up.HEALTHY_WITHIN_SECONDS, "The sandbox")
    login, _ = login_environment(True)
    up.start_airflow({**environment, **login}, address, stored_password())
    up.refuse_foreign_listeners()
    print(json.dumps({"address": address, "user": USER, "password": stored_password(), "sandbox": sandbox}))


if __name__ == "__main__":
    main()
