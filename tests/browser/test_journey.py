"""A newcomer's whole way through Airflow's interface: a real browser, a whole Airflow, the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from dev.api import AirflowApi
from dev.ports import free_port
from dev.processes import wait_until
from dev.venv import ROOT
from tests.browser import steps
from tests.ui import browser as browsers

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

DEPLOY, HARVEST, WIND_DOWN = "quantconnect_deploy", "quantconnect_harvest_insights", "quantconnect_wind_down"
IDLE, TRADING = 23456002, 23456001
CONNECTION = "quantconnect_default"


@dataclass
class Stack:
    """A whole Airflow without connections, and the sandbox that one may lead to."""

    address: str
    user: str
    password: str
    sandbox: str

    @property
    def api(self) -> AirflowApi:
        """The REST API, logged in."""
        return AirflowApi(self.address, self.user, self.password)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home: Path = tmp_path_factory.mktemp("browser") / "home"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment = {**inherited, "AIRFLOW_HOME": str(home), "AIRFLOW__API__PORT": str(free_port())}

    def run(module: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        yield Stack(**json.loads(run("tests.browser.stack").splitlines()[-1]))
    finally:
        run("dev.down")


@pytest.fixture(scope="module")
def page(stack: Stack) -> Iterator[Page]:
    with browsers.launched() as browser:
        yield browsers.new_page(browser, stack.address, None)


def test_from_log_in_to_a_stopped_deployment(stack: Stack, page: Page) -> None:
    api = stack.api
    steps.log_in(page, stack.address, stack.user, stack.password)
    connect(stack, page)
    deployed = deploy(stack, page)
    assert steps.wait_for_end(api, DEPLOY, deployed) == "success"
    harvest(stack, page)
    look_at_the_page(stack, page)
    look_at_the_task(stack, page, deployed)
    wind_down(stack, page)
    for dag_id in (DEPLOY, HARVEST, WIND_DOWN):
        for run in api.call("GET", f"/api/v2/dags/{dag_id}/dagRuns?state=success")["dag_runs"]:
            check_logs(api, dag_id, run["dag_run_id"])


def connect(stack: Stack, page: Page) -> None:
    """A wrong token is named by the Test button; the right one turns it green."""
    fields = {"host": stack.sandbox, "login": "1", "password": "wrong", "port": "443"}
    steps.add_connection(page, stack.address, CONNECTION, "QuantConnect", fields)
    good, said = steps.try_connection(page, CONNECTION)
    assert not good
    assert "password" in said
    steps.change_password(page, CONNECTION, "sandbox")
    assert steps.try_connection(page, CONNECTION) == (True, "")

    fields = {"login": "InteractiveBrokersBrokerage", "password": "{}", "port": "443"}
    steps.add_connection(page, stack.address, "brokerage", "QuantConnect brokerage", fields)
    good, said = steps.try_connection(page, "brokerage")
    assert not good
    assert "ib-password" in said


def deploy(stack: Stack, page: Page) -> str:
    """From the empty page to the form with the project filled in, and through the approval."""
    page.goto(f"{stack.address}/plugin/quantconnect")
    page.get_by_role("heading", name="No deployments yet").wait_for()
    page.goto(f"{stack.address}/plugin/quantconnect#/form/deploy/{IDLE}")
    form_shows(page, lambda: page.locator("input[name=element_project_id]").input_value() == str(IDLE))
    steps.choose(page, "Safety", "approval", "always")
    run_id = steps.trigger(page)
    steps.wait_for_task(stack.api, DEPLOY, run_id, "approve", "awaiting_input")
    steps.approve(page, stack.address, DEPLOY, run_id)
    return run_id


def harvest(stack: Stack, page: Page) -> None:
    """The form without a project harvests all."""
    page.goto(f"{stack.address}/plugin/quantconnect#/form/harvest")
    page.get_by_test_id("trigger-dag-submit").wait_for()
    assert steps.wait_for_end(stack.api, HARVEST, steps.trigger(page)) == "success"


def look_at_the_page(stack: Stack, page: Page) -> None:
    """The new deployment runs; the older one has insights, which can be filtered, and links."""
    page.goto(f"{stack.address}/plugin/quantconnect")
    row(page, IDLE).locator(".pill", has_text="Running").wait_for()
    row(page, TRADING).locator("a.name").click()
    page.locator(".direction").first.wait_for()
    page.locator("select[name=direction]").select_option("down")
    assert wait_until(lambda: set(page.locator(".direction").all_inner_texts()) == {"down"}, 60, every=0.2)
    assert "direction=down" in page.url
    assert browsers.violations(page) == []
    link = page.locator("a[href*='/runs/']").first
    run_id = link.inner_text()
    link.click()
    page.get_by_text(run_id).first.wait_for()
    assert f"/dags/{HARVEST}/runs/" in page.url


def look_at_the_task(stack: Stack, page: Page, run_id: str) -> None:
    """The deploy task has a tab with its deployment, and a button to the page."""
    task = f"/dags/{DEPLOY}/runs/{run_id}/tasks/deploy"
    page.goto(stack.address + task)
    page.locator(f"a[href='{task}/plugin/quantconnect-task']").click()
    card = page.locator(".qc .card")
    card.locator(".pill", has_text="Running").wait_for()
    assert "L-" in card.inner_text()
    links = stack.api.call("GET", f"/api/v2/dags/{DEPLOY}/dagRuns/{run_id}/taskInstances/deploy/links")
    assert links["extra_links"]["QuantConnect in Airflow"].endswith(f"/plugin/quantconnect#/?search={IDLE}")


def wind_down(stack: Stack, page: Page) -> None:
    """Stop, from the deployment's row; the next harvest shows that it is over."""
    page.goto(f"{stack.address}/plugin/quantconnect")
    row(page, IDLE).get_by_role("link", name="Stop").click()
    form_shows(page, lambda: str(IDLE) in page.locator("#element_project_ids").inner_text())
    assert page.locator("#element_action").inner_text().strip() == "stop"
    assert steps.wait_for_end(stack.api, WIND_DOWN, steps.trigger(page)) == "success"
    harvest(stack, page)
    page.goto(f"{stack.address}/plugin/quantconnect")
    row(page, IDLE).locator(".pill", has_text="Stopped").wait_for()
    page.goto(stack.address)
    panel = page.get_by_role("region", name="QuantConnect live")
    panel.get_by_text("running").wait_for()
    assert panel.locator(".tile strong").first.inner_text() == "1"


def row(page: Page, project_id: int) -> Any:
    """A project's row in the table of deployments."""
    return page.locator(".deployments tbody tr", has_text=str(project_id))


def form_shows(page: Page, condition: Any) -> None:
    """Wait until a DAG's form shows what was filled in, and lets it be triggered."""
    page.get_by_test_id("trigger-dag-submit").wait_for()
    assert wait_until(condition, 60, every=0.2)
    assert wait_until(lambda: page.get_by_test_id("trigger-dag-submit").is_enabled(), 30, every=0.2)
    page.locator("[id^=element_]").first.wait_for(state="visible")


def check_logs(api: AirflowApi, dag_id: str, run_id: str) -> None:
    """No task's log shows a stack trace, a line twice in a row, or folded groups that stay open."""
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
    for task in api.call("GET", path)["task_instances"]:
        if not task["try_number"] or task["state"] == "skipped":
            continue
        query = f"?full_content=true&map_index={task['map_index']}"
        log = api.call("GET", f"{path}/{task['task_id']}/logs/{task['try_number']}{query}")["content"]
        lines = [str(entry["event"]) for entry in log]
        where = f"{dag_id}.{task['task_id']}"
        assert not [entry for entry in log if entry.get("error_detail")], where
        assert not [line for line in lines if "Traceback" in line], where
        assert not [line for line, after in pairwise(lines) if line == after], where
        opened = sum(line.startswith("::group::") for line in lines)
        assert opened == sum(line == "::endgroup::" for line in lines), where
