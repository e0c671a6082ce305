"""What an algorithm or QuantConnect writes reaches a task's log as text that can be seen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from quantconnect_provider.client.errors import RefusedError
from quantconnect_provider.hooks.quantconnect import QuantConnectHook
from quantconnect_provider.live.deployment_errors import DeploymentFailedError
from quantconnect_provider.live.post_mortem import deployment_failed
from quantconnect_provider.operators.live import QuantConnectReadLogsOperator
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed
from tests.airflow.test_operators import context

PROJECT = 1002
HOSTILE = "sold\r\x1b[2K\x1b[31mNOTHING\x1b]8;;http://127.0.0.9\x07 \u202eyub ::endgroup:: \x9b1A"
SEEN = "sold\\r\\x1b[2K\\x1b[31mNOTHING\\x1b]8;;http://127.0.0.9\\x07 \\u202eyub :endgroup: \\x9b1A"
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def quantconnect_scenario() -> Any:
    return {
        "clock": {"speed": 0},
        "nodes": {"live": [{"name": "first"}]},
        "projects": [
            {
                "name": HOSTILE,
                "id": PROJECT,
                "deploy": {"log_lines": [HOSTILE], "starting": {"InQueue": 1}},
            }
        ],
    }


@pytest.fixture(autouse=True)
def deploy_id(quantconnect_sandbox: Sandbox) -> str:
    """A deployment that has logged its lines."""
    deployed = quantconnect_sandbox.deploy(PROJECT)
    quantconnect_sandbox.advance(10)
    return deployed


def test_log_lines_of_an_algorithm(capfd: pytest.CaptureFixture[str]) -> None:
    QuantConnectReadLogsOperator(task_id="logs", project_id=PROJECT).execute(context())
    logged = capfd.readouterr().out
    assert SEEN in logged
    assert not HIDDEN.search(logged)
    assert logged.count("::endgroup::") == 1


def test_why_a_deployment_ended(deploy_id: str) -> None:
    with QuantConnectHook().get_conn() as client:
        error = deployment_failed(client, PROJECT, deploy_id, "It ended.")
    assert isinstance(error, DeploymentFailedError)
    assert SEEN in str(error)
    assert not HIDDEN.search(str(error))


def test_words_of_the_api(quantconnect_sandbox: Sandbox) -> None:
    quantconnect_sandbox.add_fault("live/logs/read", errors=[HOSTILE])
    operator = QuantConnectReadLogsOperator(task_id="logs", project_id=PROJECT)
    with pytest.raises((QuantConnectTaskFailed, RefusedError)) as raised:
        operator.execute(context())
    assert SEEN in str(raised.value)
    assert not HIDDEN.search(str(raised.value))
