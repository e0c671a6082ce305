"""What the plugin registers, and what that costs processes that show nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from quantconnect_provider.ui import registration

STATIC = Path(registration.__file__).parent / "static"
IMPORTED = """
import json, sys
import airflow.plugins_manager, quantconnect_provider.links
before = set(sys.modules)
import quantconnect_provider.plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_registering_imports_nothing_of_the_page() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [
        "quantconnect_provider.plugin",
        "quantconnect_provider.ui",
        "quantconnect_provider.ui.registration",
    ]


def test_every_script_that_airflow_is_to_load_is_there() -> None:
    for app in registration.react_apps():
        path = app["bundle_url"].removeprefix("quantconnect/static/").partition("?")[0]
        script = (STATIC / path).read_text()
        assert f'globalThis["{app["name"]}"]' in script


def test_airflow_lists_the_page_the_panel_and_the_tab(viewer: Any) -> None:
    plugins = viewer.get("/api/v2/plugins").json()["plugins"]
    (ours,) = [plugin for plugin in plugins if plugin["name"] == "quantconnect"]
    assert {app["destination"] for app in ours["react_apps"]} == {"nav", "dashboard", "task_instance"}
    assert viewer.get("/api/v2/plugins/importErrors").json()["import_errors"] == []
