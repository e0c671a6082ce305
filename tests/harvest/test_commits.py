"""Commits that the store refuses: the deployments that can be stored are, and no other harvest is undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy.exc import DataError

from quantconnect_provider.harvest import Store
from quantconnect_provider.store.store_errors import StoreError
from tests.harvest.contents import assert_holds, harvest_rows, stored_insights
from tests.harvest.fake_api import FakeApi, FakeDeployment
from tests.harvest.nights import harvest_all, night


class TroubledStore(Store):
    """A store to whose commits something happens first; those with a refused deployment fail."""

    error: Exception | None = None
    refused: str = ""
    before_commits: list[Callable[[], Any]]

    def commit(self, units: Any) -> Any:
        if self.before_commits:
            self.before_commits.pop(0)()
        if self.error is not None and (not self.refused or self.refused in [one.deploy_id for one in units]):
            raise self.error
        return super().commit(units)


@pytest.fixture
def troubled(store_url: str) -> Iterator[TroubledStore]:
    with TroubledStore.open(store_url) as store:
        store.before_commits = []
        yield store


def replace_all(api: FakeApi, store_url: str, deployment: FakeDeployment) -> None:
    """Give the deployment other insights, and let another harvest store them first."""
    api.remove(deployment, 0, len(deployment.insights))
    api.emit(deployment, 10)
    with Store.open(store_url) as other:
        night(api, other)


def test_a_deployment_that_the_database_refuses_costs_no_other_its_rows(
    api: FakeApi, troubled: TroubledStore
) -> None:
    good, bad, better = api.deploy(1), api.deploy(2), api.deploy(3)
    for deployment in (good, bad, better):
        api.emit(deployment, 20)
    troubled.error, troubled.refused = DataError("INSERT", {}, Exception("out of range")), bad.deploy_id
    report = harvest_all(api, troubled)
    assert [result.deploy_id for result in report.failed] == [bad.deploy_id]
    for deployment in (good, better):
        assert_holds(troubled, deployment)
    (record,) = harvest_rows(troubled, bad.deploy_id)
    assert record["status"] == "failed"
    assert "out of range" in record["error"]
    troubled.error = None
    night(api, troubled)
    assert_holds(troubled, bad)


def test_a_store_that_cannot_be_used_fails_every_deployment_and_ends_the_batch(
    api: FakeApi, troubled: TroubledStore
) -> None:
    for project_id in (1, 2, 3):
        api.emit(api.deploy(project_id), 20)
    troubled.error = StoreError("The store cannot be used: disk is full.")
    report = harvest_all(api, troubled)
    assert {str(result.error) for result in report.failed} == {str(troubled.error)}
    assert len(report.failed) == 3


def test_a_harvest_that_is_overtaken_twice_reads_again_twice(
    api: FakeApi, troubled: TroubledStore, store_url: str
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 300)
    troubled.before_commits = [partial(replace_all, api, store_url, deployment)] * 2
    night(api, troubled)
    assert_holds(troubled, deployment)


def test_a_harvest_that_is_overtaken_and_then_fails_is_reported(
    api: FakeApi, troubled: TroubledStore, store_url: str
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 300)

    def fail() -> None:
        raise DataError("INSERT", {}, Exception("out of range"))

    troubled.before_commits = [partial(replace_all, api, store_url, deployment), fail]
    (failed,) = harvest_all(api, troubled).failed
    assert isinstance(failed.error, DataError)
    assert_holds(troubled, deployment)


def test_a_long_read_that_is_overtaken_halfway_goes_on_from_what_still_stands(
    api: FakeApi, troubled: TroubledStore, store_url: str
) -> None:
    deployment = api.deploy()
    api.emit(deployment, 1500)

    def newer() -> None:
        api.remove(deployment, 100, 50)
        with Store.open(store_url) as other:
            night(api, other)

    troubled.before_commits = [newer]
    night(api, troubled, commit_rows=300, in_flight=1)
    assert_holds(troubled, deployment)
    assert len(stored_insights(troubled, deployment.deploy_id)) >= 1450
