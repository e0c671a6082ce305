from __future__ import annotations

import json

import pytest

from quantconnect_provider.sandbox import Sandbox, ScenarioError, load_scenario


@pytest.mark.parametrize(
    ("scenario", "complaint"),
    [
        ({"project": []}, "unknown field `project`"),
        ({"projects": [{"name": "A", "isd": 7}]}, r"unknown field `isd` - at `\$\.projects\[0\]`"),
        ({"projects": [{"id": 7}]}, "missing required field `name`"),
        ({"api": {"insights": {"end": "open"}}}, r"Invalid enum value 'open' - at `\$\.api\.insights\.end`"),
        ({"projects": [{"name": "A", "build": {"polls": "two"}}]}, r"at `\$\.projects\[0\]\.build\.polls`"),
        ({"faults": [{"endpoint": "live/*"}]}, "a fault needs one of status, drop"),
        ({"faults": [{"status": 500, "drop": True}]}, "not several"),
        ({"defaults": {"biuld": {}}, "projects": [{"name": "A"}]}, "unknown field `biuld`"),
    ],
)
def test_a_mistake_is_named_with_its_place(scenario, complaint):
    with pytest.raises(ScenarioError, match=complaint):
        load_scenario(scenario)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"cannot read the scenario .*none\.yaml"):
        load_scenario(tmp_path / "none.yaml")


def test_a_file_that_is_no_yaml_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("projects: [")
    with pytest.raises(ScenarioError, match=r"bad\.yaml is neither YAML nor JSON"):
        load_scenario(tmp_path / "bad.yaml")


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(ScenarioError, match="must be a mapping"):
        load_scenario(tmp_path / "list.yaml")


@pytest.mark.parametrize("name", ["scenario.yaml", "scenario.json"])
def test_yaml_and_json_say_the_same(tmp_path, name):
    (tmp_path / name).write_text(json.dumps({"projects": [{"name": "A"}]}))
    assert load_scenario(tmp_path / name).projects[0].name == "A"


def test_projects_start_from_the_defaults_field_by_field():
    defaults = {"deploy": {"stop_seconds": 9, "sell_seconds": 3}}
    project = {"name": "A", "deploy": {"sell_seconds": 4}}
    deploy = load_scenario({"defaults": defaults, "projects": [project]}).projects[0].deploy
    assert (deploy.stop_seconds, deploy.sell_seconds) == (9, 4)


def test_a_deployments_insights_start_from_its_projects():
    insights = {"score_seconds": 5, "history": {"count": 1}}
    project = {"name": "A", "insights": insights, "deployments": [{"insights": {"history": {"count": 2}}}]}
    found = load_scenario({"projects": [project]}).projects[0].deployments[0].insights
    assert found is not None
    assert (found.score_seconds, found.history.count) == (5, 2)


def test_two_projects_with_one_id_are_refused(start):
    with pytest.raises(ScenarioError, match="two projects have the id 7"):
        start({"projects": [{"name": "A", "id": 7}, {"name": "B", "id": 7}]})


def test_a_deployment_on_a_node_that_does_not_exist_is_refused(start):
    with pytest.raises(ScenarioError, match="live node 'x'"):
        start({"projects": [{"name": "A", "deployments": [{"node": "x"}]}]})


def test_the_default_scenario_shows_something_at_once():
    scenario = load_scenario(None)
    assert len(scenario.projects) == 3
    assert [len(project.deployments) for project in scenario.projects] == [1, 0, 0]


def test_a_clock_can_start_at_a_given_time(start):
    sandbox, _ = start({"clock": {"start": "2026-03-01T12:00:00Z", "speed": 0}})
    assert sandbox.now() == 1772366400.0


def test_a_start_without_a_zone_is_refused():
    with pytest.raises(ScenarioError, match="timezone"):
        load_scenario({"clock": {"start": "2026-03-01T12:00:00"}})


def test_a_scenario_that_was_read_already_is_used_as_it_is():
    scenario = load_scenario({"projects": [{"name": "Beta", "id": 9}]})
    with Sandbox(scenario) as sandbox:
        assert [project["name"] for project in sandbox.projects()] == ["Beta"]
