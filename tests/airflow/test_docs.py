"""The examples of README and the docs run: DAGs, tests, Python, SQL, and `airflow` commands."""

from __future__ import annotations

import argparse
import inspect
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from airflow.cli.cli_parser import get_parser
from airflow.models.connection import Connection
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select
from upath import UPath

from quantconnect_provider.harvest import Store
from quantconnect_provider.operators import (
    command_live,
    export_chart,
    export_logs,
    export_orders,
    export_trades,
    insights,
    live,
    publish_parquet,
    scorecard,
    trading,
)
from quantconnect_provider.operators import compile as builds
from quantconnect_provider.publish import publish
from quantconnect_provider.sensors import live as sensors
from quantconnect_provider.store.schema import insights as stored_insights
from quantconnect_provider.store.watch_tables import equity
from tests.airflow.conftest import FAST, Run
from tests.docs.pages import ROOT, Block, blocks, commands
from tests.publish.rows import START, insight, put

OPERATORS_PAGE = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
PYTHON = blocks("python")
TESTS = [block for block in PYTHON if "def test_" in block.text]
DAGS = [block for block in PYTHON if "with DAG(" in block.text and block not in TESTS]
# The others: for each page, what the example needs to run here.
PIECES = [block for block in PYTHON if block not in [*TESTS, *DAGS] and "pytest_plugins" not in block.text]
AIRFLOW_COMMANDS = sorted(
    {command for block in blocks("console") for command in commands(block) if command.startswith("airflow ")}
)
RUNNING = {
    "status": "Running",
    "insights": {"history": {"count": 40}, "growth": {"every_seconds": 0}},
    "orders": {"history": {"count": 10}},
}


@pytest.fixture
def quantconnect_scenario() -> Any:
    projects = [
        {"name": "Momentum", "id": 23456001, "deployments": [RUNNING]},
        {"name": "Breakout", "id": 23456002},
    ]
    return {**FAST, "projects": projects}


@pytest.fixture
def run_example(
    run_dag: Callable[..., Run], quantconnect_sandbox: Any, tmp_path: Path
) -> Callable[[Block], Run]:
    def run(block: Block) -> Run:
        [dag_id] = re.findall(r'with DAG\(\s*"(\w+)"', block.text)
        assert len(block.text.strip().splitlines()) <= 25
        folder = Path(os.environ["AIRFLOW_HOME"]) / "examples"
        (folder / f"{dag_id}.py").write_text(block.text.replace("file:///data/", f"file://{tmp_path}/"))
        return run_dag(dag_id, folder)

    return run


def example(dag_id: str) -> Block:
    """The DAG of this id; the same one may be on two pages."""
    found = [block for block in DAGS if f'DAG("{dag_id}"' in block.text]
    assert len({block.text for block in found}) == 1
    return found[0]


def test_dag_of_ones_own(run_example: Callable[[Block], Run], quantconnect_sandbox: Any) -> None:
    run = run_example(example("monday_redeploy"))
    assert run.state == "success"
    assert [each["status"] for each in quantconnect_sandbox.deployments(23456001)] == ["Stopped", "Running"]
    assert run.xcoms["harvest[-1].return_value"]["inserted"] == 40


def test_watching(run_example: Callable[[Block], Run], quantconnect_sandbox: Any) -> None:
    deploy_id = quantconnect_sandbox.deployments(23456001)[0]["deploy_id"]
    quantconnect_sandbox.fail(deploy_id)
    run = run_example(example("watch_momentum"))
    assert run.state == "success"
    assert f"{deploy_id} ended as RuntimeError" in run.log


def test_liquidating(run_example: Callable[[Block], Run], quantconnect_sandbox: Any) -> None:
    assert run_example(example("friday_flat")).state == "success"
    assert quantconnect_sandbox.deployments(23456001)[0]["status"] == "Liquidated"


def test_dag_after_the_harvest(run_example: Callable[[Block], Run]) -> None:
    run = run_example(example("after_harvest"))
    assert run.state == "success"
    assert "The store is up to date." in run.log


def test_publishing(run_example: Callable[[Block], Run], store_url: str, tmp_path: Path) -> None:
    with Store.open(store_url) as store:
        put(store, equity, {"deploy_id": "L-1", "project_id": 23456001, "observed_at": START, "equity": 1.0})
    assert run_example(example("publish_equity")).state == "success"
    assert len(list((tmp_path / "quantconnect").rglob("*.parquet"))) == 1


def test_each_dag_example_is_run() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    ids = {dag_id for block in DAGS for dag_id in re.findall(r'with DAG\(\s*"(\w+)"', block.text)}
    assert {dag_id for dag_id in ids if f'run_example(example("{dag_id}"))' not in source} == set()


def test_examples_of_tests_pass(tmp_path: Path) -> None:
    (tmp_path / "my_dag.py").write_text(
        "from airflow.sdk import DAG\n"
        "from quantconnect_provider.operators.live import QuantConnectLiquidateLiveOperator\n"
        "with DAG('close', schedule=None) as close_the_book:\n"
        "    QuantConnectLiquidateLiveOperator(task_id='liquidate', project_id=23456001, retries=0)\n"
    )
    (tmp_path / "conftest.py").write_text(
        'pytest_plugins = ["quantconnect_provider.sandbox.pytest_plugin"]\n'
    )
    for number, block in enumerate(TESTS):
        own = block.text.replace('pytest_plugins = ["quantconnect_provider.sandbox.pytest_plugin"]\n', "")
        (tmp_path / f"test_{number}.py").write_text(own)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path),
        "AIRFLOW__QUANTCONNECT__POLL_INTERVAL_SECONDS": "0.1",
    }
    steps = [["airflow", "db", "migrate"], ["pytest", "-q", "-p", "no:cacheprovider"]]

    for step in steps:
        done = subprocess.run(
            [sys.executable, "-m", *step],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    count = sum(len(re.findall(r"(?m)^def test_", block.text)) for block in TESTS)
    assert re.search(rf"(?m)^{count} passed", done.stdout), done.stdout


@pytest.mark.parametrize("block", PIECES, ids=str)
def test_python_example(block: Block, quantconnect_sandbox: Any, tmp_path: Path) -> None:
    client = f"QuantConnectClient(user_id, api_token, base_url={quantconnect_sandbox.base_url!r})"
    source = block.text.replace("QuantConnectClient(user_id, api_token)", client)
    source = source.replace("sqlite:////data/", f"sqlite:///{tmp_path}/")
    if "/data/quantconnect/" in source:
        source = source.replace("/data/", f"{tmp_path}/")
        publish_insights(tmp_path)
    given = {
        "user_id": quantconnect_sandbox.user_id,
        "api_token": quantconnect_sandbox.api_token,
        "sandbox": quantconnect_sandbox,
    }

    exec(compile(source, str(block), "exec"), given)


def publish_insights(folder: Path) -> None:
    with Store.open(f"sqlite:///{folder}/store.db") as store:
        rows = [insight(day, 23456001, direction="up", score_is_final=True) for day in range(40)]
        put(store, stored_insights, *rows, insight(40, 2), insight(41, 2, generated_at=None))
        publish(store, UPath(folder / "quantconnect"))


@pytest.mark.parametrize("block", blocks("sql"), ids=str)
def test_sql_example(block: Block, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/store.db"):
        pass

    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        assert connection.execute(block.text).fetchall() == []


@pytest.fixture
def run_command(database: None) -> Callable[[str], argparse.Namespace]:
    """Give an `airflow` command to Airflow's own parser and carry it out in this process."""

    def run(command: str) -> argparse.Namespace:
        arguments = get_parser().parse_args(shlex.split(command.replace("\\\n", " "))[1:])
        arguments.func(arguments)
        return arguments

    return run


@pytest.mark.parametrize("command", AIRFLOW_COMMANDS)
def test_airflow_command(command: str, run_command: Callable[[str], argparse.Namespace]) -> None:
    if command.startswith("airflow connections add "):
        forget(command.split()[3])
    if command.startswith("airflow dags trigger "):
        run_command("airflow dags reserialize")

    arguments = run_command(command)

    if command.startswith("airflow dags trigger "):
        with create_session() as session:
            run = session.scalars(select(DagRun).order_by(DagRun.id.desc())).first()
        assert run is not None
        assert run.dag_id == arguments.dag_id
    if command.startswith("airflow connections add "):
        forget(arguments.conn_id)


def forget(conn_id: str) -> None:
    with create_session() as session:
        for connection in session.scalars(select(Connection).where(Connection.conn_id == conn_id)):
            session.delete(connection)


def test_every_operator_parameter_is_documented() -> None:
    exports = (export_chart, export_logs, export_orders, export_trades, publish_parquet)
    for module in (builds, command_live, insights, live, scorecard, sensors, trading, *exports):
        for name, found in vars(module).items():
            if (
                name.startswith("QuantConnect")
                and name != "QuantConnectOperator"
                and hasattr(found, "execute")
                and not inspect.isabstract(found)
            ):
                section = OPERATORS_PAGE.partition(f"## {name}\n")[2].partition("\n## ")[0]
                assert section, name
                own = set(found.template_fields) - {"quantconnect_conn_id"}
                inherited = {"project_id", "deploy_id"} if "Liquidate" in name else set()
                missing = {field for field in own - inherited if f"`{field}`" not in section}
                assert not missing, name
