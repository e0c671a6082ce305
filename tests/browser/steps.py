"""What a person does in Airflow's interface, step by step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev.processes import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from dev.api import AirflowApi

RUN_SECONDS = 600
_ENDED = ("success", "failed")


def log_in(page: Page, address: str, user: str, password: str) -> None:
    """Open Airflow and log in; without that nothing is shown."""
    page.goto(address)
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Welcome").wait_for()


def add_connection(page: Page, address: str, conn_id: str, kind: str, fields: dict[str, str]) -> None:
    """Fill in the form of a connection and save it."""
    page.goto(f"{address}/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.locator("input[name=connection_id]").fill(conn_id)
    form.get_by_role("combobox").fill(kind)
    page.get_by_role("option", name=kind, exact=True).click()
    for name, value in fields.items():
        form.locator(f"input[name={name}]").fill(value)
    form.get_by_role("button", name="Save").click()
    page.get_by_role("cell", name=conn_id, exact=True).wait_for()


def change_password(page: Page, conn_id: str, password: str) -> None:
    """Edit a stored connection's password."""
    page.get_by_role("row", name=conn_id).get_by_role("button", name="Edit Connection").click()
    form = page.get_by_role("dialog")
    form.locator("input[name=password]").fill(password)
    form.get_by_role("button", name="Save").click()
    form.wait_for(state="hidden")


def try_connection(page: Page, conn_id: str) -> tuple[bool, str]:
    """Press the button that tests a stored connection; returns whether it turned green, and what it said."""
    button = page.get_by_role("row", name=conn_id).get_by_role("button", name="Test Connection")
    with page.expect_response(lambda answer: answer.url.endswith("/connections/test")) as answered:
        button.click()
    good = bool(answered.value.json()["status"])
    shown = button.locator(f"svg[color={'green' if good else 'red'}]")
    shown.wait_for()
    failed = page.get_by_text("Test Connection Failed").first
    return good, "" if good else str(failed.locator("xpath=..").inner_text())


def trigger(page: Page) -> str:
    """Press the form's button, wait for its run to be shown, and return the run's id."""
    page.get_by_test_id("trigger-dag-submit").click()
    page.wait_for_url(re.compile(r"/dags/[^/]+/runs/[^/?]+"))
    found = re.search(r"/runs/([^/?]+)", page.url)
    assert found
    return found.group(1)


def form_value(page: Page, name: str) -> Locator:
    """What a field of the open form shows."""
    return page.locator(f"#element_{name}")


def choose(page: Page, section: str, name: str, option: str) -> None:
    """Open a section of the form and choose an option there."""
    page.get_by_role("button", name=section, exact=True).click()
    form_value(page, name).click()
    page.get_by_role("option", name=option, exact=True).click()


def approve(page: Page, address: str, dag_id: str, run_id: str) -> str:
    """Approve what a run asks for; returns what was asked."""
    page.goto(f"{address}/dags/{dag_id}/runs/{run_id}/tasks/approve/required_actions")
    button = page.get_by_role("button", name="Approve", exact=True)
    button.wait_for()
    asked = page.locator("main, #root").first.inner_text()
    with page.expect_response(lambda answer: answer.url.endswith("/hitlDetails") and answer.ok):
        button.click()
    return asked


def state_of(api: AirflowApi, dag_id: str, run_id: str) -> str:
    """A run's state now."""
    return str(api.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])


def wait_for_end(api: AirflowApi, dag_id: str, run_id: str) -> str:
    """Wait until a run ends; returns its state."""
    wait_until(lambda: state_of(api, dag_id, run_id) in _ENDED, RUN_SECONDS, every=1)
    return state_of(api, dag_id, run_id)


def wait_for_task(api: AirflowApi, dag_id: str, run_id: str, task_id: str, state: str) -> None:
    """Wait until a task of a run is in a state."""
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
    assert wait_until(lambda: api.call("GET", path)["state"] == state, RUN_SECONDS, every=1), task_id
