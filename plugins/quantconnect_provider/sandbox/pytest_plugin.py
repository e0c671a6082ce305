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
    """The scenario that `quantconnect_sandbox` starts with; override it (None is the default scenario)."""
    return None


@pytest.fixture
def quantconnect_sandbox(quantconnect_scenario: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox for one test, which Airflow's connection `quantconnect_default` leads to."""
    with Sandbox(quantconnect_scenario) as sandbox:
        monkeypatch.setenv("AIRFLOW_CONN_QUANTCONNECT_DEFAULT", sandbox.airflow_connection())
        yield sandbox
