"""Tests of what handles times and texts, in other time zones and with languages that are not UTF-8."""

from __future__ import annotations

import pytest

from tests.environment.processes import python

ASCII_ONLY = {
    "LC_ALL": "C",
    "LANG": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
}
PLACES = {
    "New York": {"TZ": "America/New_York"},
    "Kolkata": {"TZ": "Asia/Kolkata"},
    "Chatham": {"TZ": "Pacific/Chatham"},
    "ASCII": ASCII_ONLY,
    "POSIX": {"LC_ALL": "POSIX", "LANG": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
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
