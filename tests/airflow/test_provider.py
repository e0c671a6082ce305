"""What Airflow learns of the provider: connection types and their forms, settings, plugin, DAG files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from airflow.providers_manager import ProvidersManager

from quantconnect_provider import config
from quantconnect_provider.get_provider_info import get_provider_info

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "requests",
    "alembic",
    "uvicorn",
    "numpy",
    "pandas",
    "matplotlib",
    "pyarrow",
    "quantconnect_provider.sandbox",
)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_metadata_fits_airflows_schema() -> None:
    import airflow

    folder = Path(airflow.__file__).parent
    schema = json.loads((folder / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)
    full = json.loads((folder / "provider.yaml.schema.json").read_text())["properties"]["connection-types"]
    jsonschema.validate(get_provider_info()["connection-types"], full)


def test_every_module_that_the_metadata_names_exists() -> None:
    from airflow.sdk.module_loading import import_string

    info = get_provider_info()
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for module in info[kind][0]["python-modules"]:
            __import__(module)
    for path in [*info["extra-links"], *(each["hook-class-name"] for each in info["connection-types"])]:
        import_string(path)


def test_airflow_knows_both_connection_types() -> None:
    manager = ProvidersManager()
    assert {"quantconnect", "quantconnect_brokerage"} <= set(manager.hooks)
    fields = manager.connection_form_widgets
    assert {
        "extra__quantconnect__organization_id",
        "extra__quantconnect__requests_per_minute",
        "extra__quantconnect__timeout_seconds",
        "extra__quantconnect_brokerage__allow_unattended",
    } <= set(fields)
    shown = manager.field_behaviours["quantconnect"]
    assert "port" not in shown["hidden_fields"]
    assert shown["placeholders"]["port"] == "443"


def test_plugin_loads_once_and_nothing_else_does() -> None:
    code = (
        "import json\n"
        "from airflow import plugins_manager\n"
        "plugins, errors = plugins_manager._get_plugins()\n"
        "print(json.dumps([[plugin.name for plugin in plugins], errors]))"
    )
    names, errors = json.loads(run_python(code).stdout.splitlines()[-1])
    assert names.count("quantconnect") == 1
    assert errors == {}


def test_settings_have_the_declared_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__QUANTCONNECT__POLL_INTERVAL_SECONDS")
    assert config.load().poll_interval_seconds == 10
    assert config.pool() == "default_pool"


@pytest.mark.parametrize(
    ("name", "value"),
    [("harvest_batch_size", "0"), ("poll_interval_seconds", "-1")],
)
def test_setting_out_of_range_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"AIRFLOW__QUANTCONNECT__{name.upper()}", value)
    with pytest.raises(ValueError, match=name):
        config.load()


PARSE = """
import json, socket, sys, time
import airflow.sdk, airflow.dag_processing.dagbag
before = set(sys.modules)
def refuse(*args, **kwargs):
    raise AssertionError("network at parse time")
socket.socket.connect = socket.getaddrinfo = refuse
import sqlalchemy.engine
sqlalchemy.engine.Engine.connect = refuse
started = time.process_time()
names = {}
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), {"__name__": "parsed"})
print(json.dumps({"seconds": time.process_time() - started, "modules": sorted(set(sys.modules) - before)}))
"""


@pytest.mark.parametrize("path", sorted((ROOT / "dags").glob("*.py")), ids=lambda path: path.stem)
def test_dag_file_parses_without_network_database_or_heavy_imports(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert [name for name in HEAVY if name in found["modules"]] == []
    assert found["seconds"] < 1.0


@pytest.mark.parametrize(
    "package", ["client", "live", "harvest", "policies", "publish", "scorecard", "sandbox"]
)
def test_package_works_without_airflow(package: str) -> None:
    code = f"""
import importlib, pkgutil, sys
class NoAirflow:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "airflow":
            raise ImportError("no Airflow here: " + name)
sys.meta_path.insert(0, NoAirflow())
package = importlib.import_module("quantconnect_provider.{package}")
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    skip = module.name.endswith(("__main__", "pytest_plugin")) or ".migrations." in module.name
    if not skip:
        importlib.import_module(module.name)
assert not any(name.partition(".")[0] == "airflow" for name in sys.modules)
"""
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_dags_have_forms_docs_and_the_retry_policy() -> None:
    from airflow.dag_processing.dagbag import DagBag

    from quantconnect_provider.retry import QuantConnectRetryPolicy

    bag = DagBag(str(ROOT / "dags"))
    assert not bag.import_errors
    expected: dict[str, set[str]] = {
        "quantconnect_deploy": {
            "project_id", "brokerage_conn_id", "node_id", "version_id", "if_running", "cash", "holdings",
            "parameters", "data_providers", "automatic_redeploy", "notification", "approval",
        },
        "quantconnect_harvest_insights": {"project_ids", "full"},
        "quantconnect_scorecard": {"project_ids", "full"},
        "quantconnect_wind_down": {"project_ids", "all_running", "deploy_id", "action", "approval"},
        "quantconnect_watch": set(),
    }  # fmt: skip
    assert {dag_id: set(dag.params) for dag_id, dag in bag.dags.items()} == expected
    for dag in bag.dags.values():
        assert dag.doc_md
        assert all(isinstance(task.retry_policy, QuantConnectRetryPolicy) for task in dag.tasks)
        for name in dag.params:
            schema: Any = dag.params.get_param(name)
            assert schema.description, name
            assert schema.schema["title"], name


def test_no_operator_kills_anything() -> None:
    from airflow.sdk import BaseOperator
    from airflow.triggers.base import BaseTrigger

    from quantconnect_provider.operators import compile, insights, live
    from quantconnect_provider.sensors import live as sensors
    from quantconnect_provider.triggers import flat
    from quantconnect_provider.triggers import live as triggers

    for module in (compile, insights, live, sensors):
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, BaseOperator):
                assert found.on_kill is BaseOperator.on_kill
    for module in (flat, triggers):
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, BaseTrigger):
                assert found.on_kill is BaseTrigger.on_kill
                assert found.cleanup is BaseTrigger.cleanup
