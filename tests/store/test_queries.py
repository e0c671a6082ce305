from __future__ import annotations

from quantconnect_provider.harvest import Store, count_deployments, harvest, latest_harvests
from tests.harvest.fake_api import FakeApi


def test_counts_what_is_stored_of_each_deployment(api: FakeApi, store: Store) -> None:
    first, second = api.deploy(1), api.deploy(2)
    api.emit(first, 120)
    api.score(first, 0, 1.0)
    harvest(api, store, api.list_live(), clock=api.clock)
    counts = count_deployments(store)
    assert [(one.deploy_id, one.insights, one.final) for one in counts] == [
        (first.deploy_id, 120, 1),
        (second.deploy_id, 0, 0),
    ]
    assert counts[0].last_generated_at == first.insights[-1].generated_at
    assert counts[0].project_name == "Project 1"


def test_counts_only_the_projects_asked_for(api: FakeApi, store: Store) -> None:
    api.deploy(1)
    api.deploy(2)
    harvest(api, store, api.list_live(), clock=api.clock)
    assert [one.project_id for one in count_deployments(store, [2])] == [2]


def test_lists_the_newest_harvests_first(api: FakeApi, store: Store) -> None:
    deployment = api.deploy(1)
    for run_id in ("one", "two"):
        api.emit(deployment, 5)
        harvest(api, store, api.list_live(), run_id=run_id, clock=api.clock)
    assert [(one.run_id, one.inserted) for one in latest_harvests(store)] == [("two", 5), ("one", 5)]
    assert [one.run_id for one in latest_harvests(store, run_id="one")] == ["one"]


def test_lists_the_harvests_of_some_projects(api: FakeApi, store: Store) -> None:
    for project_id in (1, 2, 3):
        api.deploy(project_id)
    harvest(api, store, api.list_live(), clock=api.clock)
    assert {one.project_id for one in latest_harvests(store, project_ids=[1, 3])} == {1, 3}
    assert latest_harvests(store, project_ids=[]) == []
