"""A local QuantConnect: the REST API v2 over HTTP, for demonstrations and for tests of one's own DAGs.

::

    with Sandbox() as sandbox:
        os.environ["AIRFLOW_CONN_QUANTCONNECT_DEFAULT"] = sandbox.airflow_connection()

:class:`SandboxProcess` is the same in a process of its own; from a shell it is
``python -m quantconnect_provider.sandbox``. See docs/sandbox.md.
"""

from __future__ import annotations

from quantconnect_provider.sandbox.control import VerbError
from quantconnect_provider.sandbox.process import RemoteSandbox, SandboxProcess
from quantconnect_provider.sandbox.scenario import ScenarioError, load_scenario
from quantconnect_provider.sandbox.scenario_spec import Scenario
from quantconnect_provider.sandbox.server import Sandbox

__all__ = [
    "RemoteSandbox",
    "Sandbox",
    "SandboxProcess",
    "Scenario",
    "ScenarioError",
    "VerbError",
    "load_scenario",
]
