"""The examples in docs/operators.md run as they stand there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.conftest import FAST, Run

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operators.md"
TEXT = DOCS.read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def quantconnect_scenario() -> Any:
    running = {"status": "Running", "insights": {"history": {"count": 40}, "growth": {"every_seconds": 0}}}
    return {**FAST, "projects": [{"name": "Momentum", "id": 23456001, "deployments": [running]}]}


@pytest.fixture
def run_example(run_dag: Callable[..., Run], quantconnect_sandbox: Any) -> Callable[[str], Run]:
    def run(dag_id: str) -> Run:
        [source] = [example for example in EXAMPLES if f'DAG("{dag_id}"' in example]
        assert len(source.strip().splitlines()) <= 25
        folder = Path(os.environ["AIRFLOW_HOME"]) / "examples"
        (folder / f"{dag_id}.py").write_text(source)
        return run_dag(dag_id, folder)

    return run


def test_dag_of_ones_own(run_example: Callable[[str], Run], quantconnect_sandbox: Any) -> None:
    run = run_example("monday_redeploy")
    assert run.state == "success"
    assert [each["status"] for each in quantconnect_sandbox.deployments(23456001)] == ["Stopped", "Running"]
    assert run.xcoms["harvest[-1].return_value"]["inserted"] == 40


def test_watching(run_example: Callable[[str], Run], quantconnect_sandbox: Any) -> None:
    deploy_id = quantconnect_sandbox.deployments(23456001)[0]["deploy_id"]
    quantconnect_sandbox.fail(deploy_id)
    run = run_example("watch_momentum")
    assert run.state == "success"
    assert f"{deploy_id} ended as RuntimeError" in run.log


def test_hook(quantconnect_sandbox: Any, capsys: pytest.CaptureFixture[str]) -> None:
    [source] = [example for example in EXAMPLES if "get_conn()" in example]
    exec(compile(source, str(DOCS), "exec"), {})
    assert "23456001" in capsys.readouterr().out


def test_every_operator_parameter_is_documented() -> None:
    from quantconnect_provider.operators import compile, insights, live
    from quantconnect_provider.sensors import live as sensors

    for module in (compile, insights, live, sensors):
        for name, found in vars(module).items():
            if (
                name.startswith("QuantConnect")
                and name != "QuantConnectOperator"
                and hasattr(found, "execute")
            ):
                section = TEXT.partition(f"## {name}\n")[2].partition("\n## ")[0]
                assert section, name
                own = set(found.template_fields) - {"quantconnect_conn_id"}
                inherited = {"project_id", "deploy_id"} if "Liquidate" in name else set()
                missing = {field for field in own - inherited if f"`{field}`" not in section}
                assert not missing, name
