"""Commands to live algorithms, which are sent at most once, and exports to files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quantconnect_provider.client.errors import InvalidSettingError
from quantconnect_provider.operators.command_live import QuantConnectCommandLiveOperator
from quantconnect_provider.operators.export_chart import QuantConnectExportChartOperator
from quantconnect_provider.operators.export_logs import QuantConnectExportLogsOperator
from quantconnect_provider.operators.export_orders import QuantConnectExportOrdersOperator
from quantconnect_provider.operators.export_trades import QuantConnectExportTradesOperator
from quantconnect_provider.sandbox import Sandbox
from quantconnect_provider.tasks.failures import QuantConnectTaskFailed, TaskFailed
from tests.airflow.test_operators import Store, context

PROJECT = 1002
CREATE = "live/commands/create"
ORGANIZATION = "0123456789abcdef"


@pytest.fixture
def quantconnect_scenario() -> Any:
    deployment = {"status": "Running", "orders": {"history": {"count": 60}}}
    stopped = {"status": "Stopped"}
    return {
        "account": {"organization_id": ORGANIZATION},
        "projects": [
            {"name": "Trading", "id": PROJECT, "deployments": [deployment]},
            {"name": "Over", "id": 1003, "deployments": [stopped]},
        ],
    }


def command(**fields: Any) -> QuantConnectCommandLiveOperator:
    fields = {"command": {"text": "foo"}, "project_id": str(PROJECT), **fields}
    return QuantConnectCommandLiveOperator(task_id="command", **fields)


def test_a_command_reaches_the_running_algorithm(quantconnect_sandbox: Sandbox) -> None:
    result = command(command='{"text": "foo"}').execute(context())
    assert result["deploy_id"] == quantconnect_sandbox.deployments(PROJECT)[0]["deploy_id"]
    (request,) = quantconnect_sandbox.requests(CREATE)
    assert request["outcome"] == "answered"


def test_a_cleared_task_sends_no_second_command(quantconnect_sandbox: Sandbox) -> None:
    store = Store()
    first = command().execute(context(store))
    assert command().execute(context(store)) == first
    assert len(quantconnect_sandbox.requests(CREATE)) == 1


def test_a_command_whose_answer_is_lost_is_never_sent_again(quantconnect_sandbox: Sandbox) -> None:
    quantconnect_sandbox.add_fault(CREATE, drop=True, when="after")
    store = Store()
    with pytest.raises(QuantConnectTaskFailed, match="not known"):
        command().execute(context(store))
    with pytest.raises(TaskFailed, match="may have sent the command"):
        command().execute(context(store))
    assert len(quantconnect_sandbox.requests(CREATE)) == 1


def test_a_command_that_was_refused_may_be_sent_by_the_next_attempt(quantconnect_sandbox: Sandbox) -> None:
    quantconnect_sandbox.add_fault(CREATE, errors=["Not today."])
    store = Store()
    with pytest.raises(QuantConnectTaskFailed, match="Not today"):
        command().execute(context(store))
    command().execute(context(store))
    assert len(quantconnect_sandbox.requests(CREATE)) == 2


def test_no_command_is_sent_to_what_is_not_running(quantconnect_sandbox: Sandbox) -> None:
    with pytest.raises(TaskFailed, match="is Stopped"):
        command(project_id=1003).execute(context())
    assert quantconnect_sandbox.requests(CREATE) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"project_id": ""},
        {"project_id": None},
        {"broadcast": True},
        {"command": ""},
        {"command": {}},
        {"broadcast": "perhaps"},
    ],
)
def test_an_unclear_command_is_sent_to_none(quantconnect_sandbox: Sandbox, fields: dict[str, Any]) -> None:
    with pytest.raises(QuantConnectTaskFailed) as failed:
        command(**fields).execute(context())
    assert isinstance(failed.value.error, InvalidSettingError)
    assert quantconnect_sandbox.requests(CREATE) == []
    assert quantconnect_sandbox.requests("live/commands/broadcast") == []


def received(sandbox: Sandbox) -> list[int]:
    """How many commands each deployment that runs has got."""
    return [len(each["commands"]) for each in sandbox.deployments() if each["status"] == "Running"]


@pytest.mark.parametrize(("excluded", "expected"), [(None, [1]), ("", [1]), (str(PROJECT), [0])])
def test_a_broadcast_reaches_all_that_run_but_the_excluded_project(
    quantconnect_sandbox: Sandbox, excluded: Any, expected: list[int]
) -> None:
    fields = {"project_id": None, "organization_id": ORGANIZATION, "exclude_project_id": excluded}
    result = command(broadcast="true", **fields).execute(context())
    assert (result["broadcast"], received(quantconnect_sandbox)) == (True, expected)


def test_a_broadcast_to_an_unknown_organization_may_be_sent_by_the_next_attempt(
    quantconnect_sandbox: Sandbox,
) -> None:
    store = Store()
    with pytest.raises(QuantConnectTaskFailed, match="No organization is known"):
        command(project_id=None, broadcast=True).execute(context(store))
    command(project_id=None, broadcast=True, organization_id=ORGANIZATION).execute(context(store))
    assert received(quantconnect_sandbox) == [1]


@pytest.mark.parametrize(
    ("operator", "content"),
    [
        (QuantConnectExportOrdersOperator, "Time,Symbol,Price"),
        (QuantConnectExportTradesOperator, "Entry Time,Symbols"),
        (QuantConnectExportLogsOperator, "data.text: foo"),
    ],
)
def test_an_export_lands_in_a_file(
    quantconnect_sandbox: Sandbox, tmp_path: Path, operator: Callable[..., Any], content: str
) -> None:
    command().execute(context())  # which the log shows
    target = tmp_path / "new" / "file"
    result = operator(task_id="export", project_id=PROJECT, path=str(target)).execute(context())
    assert content in target.read_text()
    assert result == {"path": str(target), "bytes": target.stat().st_size}


def test_an_export_that_fails_leaves_the_old_file(quantconnect_sandbox: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "orders.csv"
    target.write_text("old")
    quantconnect_sandbox.add_fault("live/export/orders", errors=["Not today."])
    with pytest.raises(QuantConnectTaskFailed, match="Not today"):
        QuantConnectExportOrdersOperator(task_id="export", project_id=PROJECT, path=str(target)).execute(
            context()
        )
    assert target.read_text() == "old"


@pytest.mark.parametrize("path", ["", " ", None])
def test_an_export_without_a_path_asks_nothing(quantconnect_sandbox: Sandbox, path: Any) -> None:
    with pytest.raises(InvalidSettingError, match="path is empty"):
        QuantConnectExportOrdersOperator(task_id="export", project_id=PROJECT, path=path).execute(context())
    assert quantconnect_sandbox.requests() == []


def export_chart(path: Path, **fields: Any) -> list[dict[str, str]]:
    fields = {"task_id": "chart", "project_id": PROJECT, "path": str(path), **fields}
    result = QuantConnectExportChartOperator(**fields).execute(context())
    assert result == {"path": str(path), "bytes": path.stat().st_size}
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_chart_lands_in_a_file_as_the_api_has_it(quantconnect_sandbox: Sandbox, tmp_path: Path) -> None:
    rows = export_chart(tmp_path / "equity.csv")
    assert {row["series"] for row in rows} == {"Equity", "Return"}
    first = rows[0]
    assert (first["unit"], first["value"]) == ("$", "")
    assert float(first["low"]) <= float(first["open"]) <= float(first["high"])
    percents = [row for row in rows if row["series"] == "Return"]
    assert percents
    assert all(row["unit"] == "%" and row["open"] == "" for row in percents)
    assert any(row["value"] for row in percents)


def test_a_chart_has_no_points_outside_of_what_is_asked_for(
    quantconnect_sandbox: Sandbox, tmp_path: Path
) -> None:
    moments = [float(row["x"]) for row in export_chart(tmp_path / "all.csv", chart="Drawdown")]
    start, end = (moments[len(moments) * third // 3] for third in (1, 2))
    between = export_chart(tmp_path / "some.csv", chart="Drawdown", start=str(start), end=str(end))
    assert between
    assert all(start <= float(row["x"]) <= end for row in between)


@pytest.mark.parametrize("loading", ["loading", "null"])
def test_a_chart_that_is_being_made_is_waited_for(
    quantconnect_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loading: str
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    quantconnect_sandbox.set_api(charts={"loading_reads": 2, "loading": loading})
    assert export_chart(tmp_path / "equity.csv")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"chart": "No such chart"}, "Chart not found"),
        ({"start": "tomorrow"}, "start is 'tomorrow'"),
        ({"max_points": 0}, "max_points is 0"),
    ],
)
def test_a_chart_that_cannot_be_had_says_why(
    quantconnect_sandbox: Sandbox, tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    target = tmp_path / "equity.csv"
    target.write_text("old")
    with pytest.raises(QuantConnectTaskFailed, match=said):
        export_chart(target, **fields)
    assert target.read_text() == "old"
