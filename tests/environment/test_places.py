"""Tests of what handles times and texts, in other time zones and with languages that are not UTF-8."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quantconnect_provider.harvest import Store
from quantconnect_provider.sandbox import SandboxProcess
from quantconnect_provider.store.schema import deployments
from tests.environment.processes import python

# Airflow reads its own files in the locale's encoding: with Python's UTF-8 mode turned off it does not start.
ASCII_CONSOLE = {"LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii"}
ASCII_ONLY = {**ASCII_CONSOLE, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
PLACES = {
    "New York": {"TZ": "America/New_York"},
    "Kolkata": {"TZ": "Asia/Kolkata"},
    "Chatham": {"TZ": "Pacific/Chatham"},
    "ASCII": ASCII_CONSOLE,
}
TESTS = [
    "tests/client",
    "tests/harvest/test_harvest.py",
    "tests/harvest/test_log.py",
    "tests/harvest/test_odd_values.py",
    "tests/harvest/trading/test_trading.py",
    "tests/live",
    "tests/store/test_store.py",
    "tests/watch",
    "tests/sandbox/test_csv_exports.py",
    "tests/airflow/test_command_and_exports.py",
    "tests/airflow/test_deploy_request.py",
    "tests/ui/test_api.py",
    "tests/dev/test_tables.py",
    "tests/dev/test_settings.py",
]


@pytest.mark.environment
@pytest.mark.parametrize("place", PLACES)
def test_the_suite_elsewhere(place: str) -> None:
    done = python("-m", "pytest", "-q", "-n", "2", *TESTS, variables=PLACES[place], seconds=900)
    assert done.returncode == 0, done.stdout[-6000:]


HARVEST = """
import logging, sys
from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.harvest import Store, harvest

logging.basicConfig(level="INFO")
with QuantConnectClient(1, "sandbox", sys.argv[1]) as client, Store.open(sys.argv[2]) as store:
    rows = client.list_live()
    for row in rows:
        row.project_name = "Gr\\u00f6\\u00dfe \\u65e5\\u672c"
    harvest(client, store, rows).raise_if_failed()
"""


def test_a_harvest_where_only_ascii_can_be_written(sandbox: SandboxProcess, sqlite_url: str) -> None:
    done = python("-c", HARVEST, sandbox.base_url, sqlite_url, variables=ASCII_ONLY)
    assert done.returncode == 0, done.stderr
    assert "Logging error" not in done.stderr
    with Store.open(sqlite_url) as store, store.read() as connection:
        names = {row.project_name for row in connection.execute(select(deployments.c.project_name))}
    assert names == {"Gr\u00f6\u00dfe \u65e5\u672c"}


def test_a_console_that_only_takes_ascii() -> None:
    program = r"from dev.console import say; say('Gr\u00f6\u00dfe')"
    done = python("-c", program, variables=ASCII_ONLY)
    assert done.stdout == "Gr\\xf6\\xdfe\n", done.stderr
