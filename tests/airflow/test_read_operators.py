"""Reading portfolios and logs: little in XCom, the whole in the task's log or in a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quantconnect_provider.operators.live import (
    QuantConnectReadLogsOperator,
    QuantConnectReadPortfolioOperator,
)
from quantconnect_provider.operators.read_portfolio import MOST_ROWS
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.sandbox.overlay import ABSENT
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed
from tests.airflow.conftest import Run, sent
from tests.airflow.test_operators import context

PROJECT, CROWDED = 1002, 1003
LINES = 700
READ_DAG = """
from airflow.sdk import DAG
from quantconnect_provider.operators.live import (
    QuantConnectReadLogsOperator,
    QuantConnectReadPortfolioOperator,
)

with DAG("read", schedule=None, params={"path": ""}) as dag:
    portfolio = QuantConnectReadPortfolioOperator(task_id="portfolio", project_id="1002")
    logs = QuantConnectReadLogsOperator(task_id="logs", project_id="{{ 1002 }}", max_lines="3")
    QuantConnectReadLogsOperator(
        task_id="more",
        project_id=1002,
        start_line="{{ ti.xcom_pull(task_ids='logs')['next_line'] - 2 }}",
        path="{{ params.path }}",
    ).set_upstream([portfolio, logs])
"""


@pytest.fixture
def quantconnect_scenario() -> Any:
    holdings = [
        {"symbol": f"S{n}", "symbolId": f"S{n} R735QTJ8XC9X", "quantity": -n, "averagePrice": 10}
        for n in range(1, MOST_ROWS + 4)
    ]
    cash = [{"currency": f"C{n:02}", "amount": n} for n in range(MOST_ROWS + 1)]
    lines = [f"line {n}" for n in range(LINES)]
    return {
        "clock": {"speed": 0},
        "nodes": {"live": [{"name": "first"}, {"name": "second"}]},
        "projects": [
            {
                "name": "Trading",
                "id": PROJECT,
                "holdings": holdings[:1],
                "deploy": {"log_lines": lines, "starting": {"InQueue": 1}},
            },
            {
                "name": "Crowded",
                "id": CROWDED,
                "holdings": holdings,
                "cash": cash,
                "deployments": [{"status": "Running"}],
            },
        ],
    }


@pytest.fixture
def deploy_ids(quantconnect_sandbox: Sandbox) -> list[str]:
    """Two deployments of the project, the older one stopped; each has logged more lines than a window has."""
    found = []
    for number in range(2):
        found.append(quantconnect_sandbox.deploy(PROJECT))
        quantconnect_sandbox.advance(10)
        if number == 0:
            quantconnect_sandbox.set_status(found[0], "Stopped")
    return found


def read_logs(tmp_path: Path, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    path = tmp_path / "new" / "log.txt"
    operator = QuantConnectReadLogsOperator(task_id="logs", project_id=PROJECT, path=str(path), **fields)
    result = operator.execute(context())
    return result, path.read_text().splitlines()


def logged(sandbox: Sandbox, number: int) -> list[str]:
    return [str(line) for line in sandbox.deployments(PROJECT)[number]["logs"]]


def test_a_small_portfolio_is_the_result(quantconnect_sandbox: Sandbox, deploy_ids: list[str]) -> None:
    result = QuantConnectReadPortfolioOperator(task_id="portfolio", project_id=str(PROJECT)).execute(
        context()
    )
    [holding] = result.pop("holdings")
    [cash] = result.pop("cash")
    assert (holding["symbol"], holding["quantity"], holding["market_value"]) == (
        "S1 R735QTJ8XC9X",
        "-1.0",
        "-10.0",
    )
    assert (cash["currency"], cash["amount"]) == ("USD", "100000.0")
    assert result == {"project_id": PROJECT, "holdings_left_out": 0, "cash_left_out": 0}


def test_of_a_large_portfolio_the_most_valuable_holdings_are_the_result(
    quantconnect_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    result = QuantConnectReadPortfolioOperator(task_id="portfolio", project_id=CROWDED).execute(context())
    assert [row["quantity"] for row in result["holdings"][:2]] == [
        f"-{MOST_ROWS + 3}.0",
        f"-{MOST_ROWS + 2}.0",
    ]
    assert len(result["holdings"]) == len(result["cash"]) == MOST_ROWS
    assert (result["holdings_left_out"], result["cash_left_out"]) == (3, 1)
    assert "Left out of the log and of the result: 3 holdings of least value, 1 row of cash." in caplog.text


def test_a_holding_without_a_value_counts_by_its_price(quantconnect_sandbox: Sandbox) -> None:
    bare = {"v": ABSENT, "p": ABSENT}
    priced = {"S1 R735QTJ8XC9X": {"p": 1000, "v": ABSENT}}  # once this is known: the most valuable of all
    fields = {"portfolio": {"holdings": {"*": bare, **priced}}}
    quantconnect_sandbox.set_api(overlays=[{"endpoint": "live/portfolio/read", "fields": fields}])
    result = QuantConnectReadPortfolioOperator(task_id="portfolio", project_id=CROWDED).execute(context())
    first, second = result["holdings"][:2]
    assert (first["quantity"], second["quantity"]) == ("-1.0", f"-{MOST_ROWS + 3}.0")


def test_a_portfolio_that_cannot_be_read_is_never_an_empty_one(quantconnect_sandbox: Sandbox) -> None:
    quantconnect_sandbox.add_fault("live/portfolio/read", errors=["Not today."])
    with pytest.raises(QuantConnectTaskFailed, match="Not today"):
        QuantConnectReadPortfolioOperator(task_id="portfolio", project_id=CROWDED).execute(context())


def test_the_newest_lines_of_the_newest_deployment_are_read(
    quantconnect_sandbox: Sandbox, deploy_ids: list[str], tmp_path: Path
) -> None:
    result, lines = read_logs(tmp_path, max_lines=600)
    assert lines == logged(quantconnect_sandbox, 1)[-600:]
    assert (result["deploy_id"], result["lines"]) == (deploy_ids[1], 600)
    assert result["next_line"] - result["start_line"] == 600
    assert sent(quantconnect_sandbox, "live/logs/read") == 1 + 3


def test_no_line_of_another_deployment_is_read(
    quantconnect_sandbox: Sandbox, deploy_ids: list[str], tmp_path: Path
) -> None:
    for number, deploy_id in enumerate(deploy_ids):
        assert read_logs(tmp_path, deploy_id=deploy_id)[1] == logged(quantconnect_sandbox, number)


def test_later_reads_continue_where_the_last_one_ended(
    quantconnect_sandbox: Sandbox, deploy_ids: list[str], tmp_path: Path
) -> None:
    first, _ = read_logs(tmp_path)
    nothing, lines = read_logs(tmp_path, start_line=first["next_line"])
    assert (lines, nothing["next_line"]) == ([], first["next_line"])
    quantconnect_sandbox.fail(deploy_ids[1], "The end")
    after, lines = read_logs(tmp_path, start_line=str(nothing["next_line"]))
    assert lines == logged(quantconnect_sandbox, 1)[-after["lines"] :]
    assert any("The end" in line for line in lines)


def test_a_query_finds_lines_of_all_deployments(
    quantconnect_sandbox: Sandbox, deploy_ids: list[str], tmp_path: Path
) -> None:
    result, lines = read_logs(tmp_path, query="LINE 7")
    found = [str(number) for number in range(LINES) if str(number).startswith("7")]
    assert [line.split(" line ")[1] for line in lines] == found * 2
    assert result["lines"] == len(lines) == result["next_line"]


def test_a_query_reads_as_many_windows_as_it_takes(
    quantconnect_sandbox: Sandbox, deploy_ids: list[str], tmp_path: Path
) -> None:
    assert len(read_logs(tmp_path, query="line", max_lines=5000)[1]) == 2 * LINES


def test_a_log_without_a_length_is_read_from_its_beginning(
    quantconnect_sandbox: Sandbox, deploy_ids: list[str], tmp_path: Path
) -> None:
    without = {"endpoint": "live/logs/read", "fields": {"length": {"$absent": True}}}
    quantconnect_sandbox.set_api(overlays=[without])
    assert read_logs(tmp_path)[1] == logged(quantconnect_sandbox, 1)
    assert read_logs(tmp_path, max_lines=300)[1] == logged(quantconnect_sandbox, 1)[:300]


@pytest.mark.parametrize("fields", [{"max_lines": 0}, {"max_lines": "many"}, {"start_line": -1}])
def test_what_cannot_be_right_is_refused(
    quantconnect_sandbox: Sandbox, deploy_ids: list[str], tmp_path: Path, fields: dict[str, Any]
) -> None:
    with pytest.raises(QuantConnectTaskFailed, match=next(iter(fields))):
        read_logs(tmp_path, **fields)
    assert sent(quantconnect_sandbox, "live/logs/read") == 0


def test_a_file_is_replaced_by_all_lines_or_by_none(
    quantconnect_sandbox: Sandbox, deploy_ids: list[str], tmp_path: Path
) -> None:
    _, before = read_logs(tmp_path, max_lines=5)
    quantconnect_sandbox.add_fault("live/logs/read", nth=3, errors=["Not today."])
    with pytest.raises(QuantConnectTaskFailed, match="Not today"):
        read_logs(tmp_path)
    assert (tmp_path / "new" / "log.txt").read_text().splitlines() == before


def test_both_in_a_dag(
    run_dag: Callable[..., Run], quantconnect_sandbox: Sandbox, deploy_ids: list[str], tmp_path: Path
) -> None:
    folder = Path(os.environ["AIRFLOW_HOME"]) / "examples"
    (folder / "read.py").write_text(READ_DAG)
    path = tmp_path / "more.txt"
    run = run_dag("read", folder, path=str(path))
    assert run.state == "success"
    newest = logged(quantconnect_sandbox, 1)
    assert f"line {LINES - 3}" in run.log
    assert f"line {LINES - 4}" not in run.log
    assert path.read_text().splitlines() == newest[-2:]
    assert run.xcoms["portfolio[-1].return_value"]["holdings"][0]["quantity"] == "-1.0"
    assert newest[-1] not in str(run.xcoms)
    assert run.xcoms["logs[-1].return_value"]["lines"] == 3
