"""The buttons on tasks that lead to the page and to live results."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from quantconnect_provider.links import QuantConnectLiveLink, QuantConnectPageLink
from quantconnect_provider.operators.insights import QuantConnectExtractInsightsOperator
from quantconnect_provider.operators.live import QuantConnectStopLiveOperator


def link_of(link: Any, task: Any) -> str:
    return str(link.get_link(task, ti_key=None))


def test_a_task_leads_to_its_project_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.org/below/")
    stop = QuantConnectStopLiveOperator(task_id="stop", project_id=1002)
    page = "https://airflow.example.org/below/plugin/quantconnect#/"
    assert link_of(QuantConnectPageLink(), stop) == f"{page}?search=1002"
    extract = QuantConnectExtractInsightsOperator(task_id="extract", deployments=[])
    assert link_of(QuantConnectPageLink(), extract) == page


def test_a_task_leads_to_the_live_results_of_its_project() -> None:
    stop = QuantConnectStopLiveOperator(task_id="stop", project_id=1002)
    assert link_of(QuantConnectLiveLink(), stop) == "https://www.quantconnect.com/project/1002/live"
    unrendered = QuantConnectStopLiveOperator(task_id="stop", project_id="{{ params.project_id }}")
    assert link_of(QuantConnectLiveLink(), unrendered) == ""


def test_every_operator_has_the_buttons() -> None:
    names = {
        link.name for link in QuantConnectStopLiveOperator(task_id="s", project_id=1).operator_extra_links
    }
    assert names == {"QuantConnect project", "QuantConnect live results", "QuantConnect in Airflow"}


def test_the_buttons_work_before_the_attempt_ends() -> None:
    class Instance:
        pushed: ClassVar[dict[str, str]] = {}

        def xcom_push(self, key: str, value: str) -> None:
            self.pushed[key] = value

    stop = QuantConnectStopLiveOperator(task_id="stop", project_id=1002)
    stop.show_links({"ti": Instance()})  # type: ignore[typeddict-item]
    links = {link.xcom_key: link_of(link, stop) for link in stop.operator_extra_links}
    assert Instance.pushed == links
    assert links["_link_QuantConnectPageLink"].endswith("?search=1002")
