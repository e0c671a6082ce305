"""What `make up` needs in Airflow's own database: the schema, the pool, and a connection to the sandbox.

A program of its own, because Airflow reads its settings when it is imported:

    python -m dev.metadata prepare                # migrate, pool; prints {"account": true or false}
    python -m dev.metadata connect-sandbox PORT   # the connection for the local QuantConnect
"""

from __future__ import annotations

import json
import os
import sys
from urllib.parse import urlsplit

from airflow.models.connection import Connection
from airflow.models.pool import Pool
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.utils.db import upgradedb
from airflow.utils.session import create_session
from sqlalchemy import select

from dev.ports import LOOPBACK
from dev.settings import CONNECTION_ID, CONNECTION_VARIABLE, POOL, SANDBOX_TOKEN, SANDBOX_USER

SANDBOX_NOTE = "The local QuantConnect that `make up` starts. Put your own account here, then: make down up"
POOL_SLOTS = 32
# All keys of the connection's form: on editing, the form shows only those that are stored.
EMPTY_EXTRA = {"organization_id": None, "requests_per_minute": None, "timeout_seconds": 30}


def ensure_pool() -> None:
    """Create the pool of everything that talks to the API; one that is there keeps its slots."""
    with create_session() as session:
        if session.scalar(select(Pool).where(Pool.pool == POOL)) is None:
            session.add(
                Pool(
                    pool=POOL,
                    slots=POOL_SLOTS,
                    description="Tasks that talk to QuantConnect, waiting ones included",
                    include_deferred=True,
                )
            )


def is_sandbox(connection: Connection) -> bool:
    """Whether a connection is still as `connect-sandbox` wrote it: our note, and a server on loopback."""
    return connection.description == SANDBOX_NOTE and urlsplit(connection.host or "").hostname == LOOPBACK


def has_account() -> bool:
    """Whether the default connection is the user's own, be it in the environment, a backend or the DB."""
    if os.environ.get(CONNECTION_VARIABLE):
        return True
    try:
        return not is_sandbox(Connection.get_connection_from_secrets(CONNECTION_ID))
    except AirflowNotFoundException:
        return False


def connect_sandbox(port: int) -> None:
    """Store the connection to the sandbox, or give the stored one the port of today's."""
    with create_session() as session:
        connection = session.scalar(select(Connection).where(Connection.conn_id == CONNECTION_ID))
        if connection is None:
            connection = Connection(
                conn_id=CONNECTION_ID,
                conn_type="quantconnect",
                login=SANDBOX_USER,
                password=SANDBOX_TOKEN,
                port=443,  # without a stored port the UI's "Test" button refuses to test
                description=SANDBOX_NOTE,
                extra=json.dumps(EMPTY_EXTRA),
            )
            session.add(connection)
        connection.host = f"http://{LOOPBACK}:{port}/api/v2"


def main(arguments: list[str]) -> None:
    """Do the one thing that the first argument names."""
    if arguments[0] == "prepare":
        upgradedb()
        ensure_pool()
        print(json.dumps({"account": has_account()}))
    else:
        connect_sandbox(int(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
