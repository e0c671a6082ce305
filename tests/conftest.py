"""Settings that every test needs before anything of Airflow is imported."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("busy machine", deadline=None)  # a slow case is no fault
settings.load_profile("busy machine")

pytest_plugins = ["quantconnect_provider.sandbox.pytest_plugin"]


def _configure_airflow() -> None:
    """Give this process (each worker of xdist is one) an Airflow of its own, away from the user's."""
    home = Path(tempfile.mkdtemp(prefix="quantconnect-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    examples = home / "examples"
    examples.mkdir()
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles = [
        {"name": "shipped", "classpath": local, "kwargs": {"path": str(ROOT / "dags")}},
        {"name": "examples", "classpath": local, "kwargs": {"path": str(examples)}},
    ]
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]
    os.environ.update(
        {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "AIRFLOW__QUANTCONNECT__POLL_INTERVAL_SECONDS": "0.1",
            "AIRFLOW__QUANTCONNECT__CERTAINTY_SECONDS": "1",
            "AIRFLOW__QUANTCONNECT__ORDERS_LOADING_SECONDS": "0.2",
            "AIRFLOW__QUANTCONNECT__FLAT_TIMEOUT_SECONDS": "20",
        }
    )


_configure_airflow()
