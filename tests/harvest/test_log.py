"""What a person reads in the log of a harvest."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from quantconnect_provider.client.errors import RefusedError
from quantconnect_provider.harvest import Store
from tests.harvest.fake_api import FakeApi
from tests.harvest.nights import harvest_all, night


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "quantconnect_provider")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for record in caplog.records for line in record.getMessage().splitlines()]


def test_each_deployment_has_a_line_that_says_why_and_how_much(
    api: FakeApi, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    deployment = api.deploy(7)
    api.emit(deployment, 300, minutes=60 * 24 * 3)
    night(api, store)
    api.emit(deployment, 20)
    caplog.clear()
    night(api, store)
    (line,) = [line for line in lines(caplog) if deployment.deploy_id in line and line.startswith("[")]
    assert "Project 7 (7, " in line
    assert "new rows from position 299, 300 open insights from position 0" in line
    assert "4 requests, 321 rows read, 20 inserted, 0 updated" in line


def test_details_are_folded_and_a_table_ends_the_log(
    api: FakeApi, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    api.emit(api.deploy(7), 30)
    night(api, store)
    said = lines(caplog)
    assert said.index("::group::Deployments") < said.index("::endgroup::")
    assert said[-1].split() == ["total", "1", "30", "30", "0"]


def test_many_quiet_deployments_are_one_line_of_the_table(api: FakeApi, store: Store) -> None:
    for project_id in range(30):
        api.deploy(project_id)
    api.emit(list(api.deployments.values())[4], 10)
    table = night(api, store).table()
    assert "29 without changes" in table
    assert len(table.splitlines()) == 5


def test_the_table_says_what_failed(api: FakeApi, store: Store) -> None:
    deployment = api.deploy(7)

    def refuse(number: int) -> None:
        raise RefusedError("live/insights/read was answered with no: Invalid argument.")

    api.before_answer = refuse
    table = harvest_all(api, store).table()
    (line,) = [line for line in table.splitlines() if deployment.deploy_id in line]
    assert "failed" in line
    assert "Invalid argument" in line


def test_a_shift_is_logged(api: FakeApi, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    deployment = api.deploy(7)
    api.emit(deployment, 300)
    api.now += timedelta(days=20)
    night(api, store)
    api.remove(deployment, 150)
    night(api, store)
    assert any(
        "positions have shifted" in line and "again from position 149" in line for line in lines(caplog)
    )
    assert any(line.startswith("[1/1]") and "positions had shifted" in line for line in lines(caplog))


def test_a_long_read_says_how_far_it_has_come_and_how_long_it_will_take(
    api: FakeApi, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    api.emit(api.deploy(7), 2000)
    night(api, store, progress_seconds=0)
    assert any("of about 2,000" in line and "left" in line for line in lines(caplog))
