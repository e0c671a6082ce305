"""Fixtures for tests of one's own DAGs.

In conftest.py: ``pytest_plugins = ["quantconnect_provider.sandbox.pytest_plugin"]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from quantconnect_provider.sandbox import Sandbox


@pytest.fixture
def quantconnect_scenario() -> Any:
    """Give the scenario for `quantconnect_sandbox`; override it (None is the default scenario)."""
    return None


@pytest.fixture
def quantconnect_sandbox(quantconnect_scenario: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Start a sandbox for one test, and have Airflow's `quantconnect_default` lead to it."""
    with Sandbox(quantconnect_scenario) as sandbox:
        monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_DEFAULT", sandbox.airflow_connection())
        yield sandbox
