from __future__ import annotations

import pytest
import requests

TWO = {"projects": [{"name": "Quiet {n}", "id": 100, "count": 5}]}


def names(answer):
    return [project["name"] for project in answer["projects"]]


def test_all_projects_are_read_at_once(start):
    _, api = start(TWO)
    assert names(api("projects/read")) == ["Quiet 1", "Quiet 2", "Quiet 3", "Quiet 4", "Quiet 5"]


def test_projects_are_paged_with_an_exclusive_end(start):
    _, api = start(TWO)
    assert names(api("projects/read", start=1, end=3)) == ["Quiet 2", "Quiet 3"]


def test_a_page_that_ends_before_it_starts_is_an_error(start):
    _, api = start(TWO)
    assert api("projects/read", start=3, end=3)["success"] is False


def test_one_project_is_read_by_get_with_a_query(start):
    sandbox, api = start(TWO)
    answer = requests.get(
        f"{sandbox.base_url}/projects/read", params={"projectId": 103}, timeout=10, **api.headers_and_auth()
    )
    assert names(answer.json()) == ["Quiet 4"]


def test_a_project_that_does_not_exist_is_refused_with_a_reference(start):
    _, api = start()
    errors = api("projects/read", projectId=8)["errors"]
    assert "not found" in errors[0]
    assert "REF #" in errors[0]


@pytest.mark.parametrize("project_id", ["seven", None, [7]])
def test_a_project_id_that_is_no_number_is_refused(start, project_id):
    _, api = start()
    assert api("compile/create", projectId=project_id)["errors"] == ["Invalid argument: projectId"]


def test_nodes_of_a_project_are_nested_and_those_of_the_organization_are_not(start):
    _, api = start()
    nested, flat = api("projects/nodes/read", projectId=7), api("nodes/read")
    assert nested["nodes"]["live"] == flat["live"]
    assert nested["autoSelectNode"] is True


def test_a_live_node_is_described_as_the_api_does(start):
    _, api = start()
    (node,) = api("nodes/read")["live"]
    assert node["id"].startswith("LN-")
    assert (node["busy"], node["hasGpu"], node["projectId"]) == (False, 0, None)


def test_a_node_that_the_scenario_makes_busy_is_busy(start):
    _, api = start({"nodes": {"live": [{"name": "n", "busy": True, "used_by": "Ann"}]}})
    (node,) = api("nodes/read")["live"]
    assert (node["busy"], node["usedBy"]) == (True, "Ann")


def test_a_build_is_in_the_queue_for_some_looks(start):
    _, api = start({"projects": [{"name": "Alpha", "id": 7, "build": {"polls": 2}}]})
    compile_id = api("compile/create", projectId=7)["compileId"]
    states = [api("compile/read", projectId=7, compileId=compile_id)["state"] for _ in range(3)]
    assert states == ["InQueue", "InQueue", "BuildSuccess"]


def test_a_build_error_comes_with_success_and_the_compilers_lines(start):
    build = {"polls": 0, "result": "BuildError", "logs": ["main.py(3): SyntaxError"]}
    _, api = start({"projects": [{"name": "Alpha", "id": 7, "build": build}]})
    compile_id = api("compile/create", projectId=7)["compileId"]
    answer = api("compile/read", projectId=7, compileId=compile_id)
    assert (answer["success"], answer["state"], answer["logs"]) == (True, "BuildError", build["logs"])


def test_a_new_project_has_the_scenarios_defaults(start):
    _, api = start({"defaults": {"build": {"polls": 0}}})
    project_id = api("projects/create", name="New", language="Py")["projects"][0]["projectId"]
    compile_id = api("compile/create", projectId=project_id)["compileId"]
    assert api("compile/read", projectId=project_id, compileId=compile_id)["state"] == "BuildSuccess"


def test_a_form_as_lean_sends_it_updates_a_project(start):
    sandbox, api = start()
    form = {"projectId": 7, "parameters[0][key]": "fast", "parameters[0][value]": "12"}
    url = f"{sandbox.base_url}/projects/update"
    requests.post(url, data=form, timeout=10, **api.headers_and_auth())
    assert api("projects/read", projectId=7)["projects"][0]["parameters"] == [{"key": "fast", "value": "12"}]


def test_a_description_is_kept(start):
    _, api = start()
    api("projects/update", projectId=7, description="Trades at noon.")
    project = api("projects/read", projectId=7)["projects"][0]
    assert (project["name"], project["description"]) == ("Alpha", "Trades at noon.")


def test_a_project_cannot_take_the_name_of_another(start):
    _, api = start(TWO)
    assert api("projects/update", projectId=100, name="Quiet 2")["success"] is False
    assert api("projects/update", projectId=100, name="Quiet 1")["success"] is True


def test_a_new_project_whose_name_is_taken_gets_a_number(start):
    _, api = start()
    new = [api("projects/create", name="Alpha", language="Py")["projects"][0]["name"] for _ in range(2)]
    assert new == ["Alpha 2", "Alpha 3"]


def test_the_last_live_deployment_is_a_time(start):
    sandbox, api = start()
    seen = [api("projects/read", projectId=7)["projects"][0]["lastLiveDeployment"]]
    sandbox.deploy(7)
    project = api("projects/read", projectId=7)["projects"][0]
    assert [*seen, project["lastLiveDeployment"]] == [None, api("live/read", projectId=7)["launched"]]
    assert project["liveForm"] is None


def test_a_project_is_deleted_right_after_its_stop(start):
    sandbox, api = start()
    sandbox.deploy(7)
    refused = api("projects/delete", projectId=7)["success"]
    api("live/update/stop", projectId=7)
    assert [refused, api("projects/delete", projectId=7)["success"]] == [False, True]
    assert sandbox.nodes()[0]["busy"] is False


def selection(answer):
    nodes = answer["nodes"]
    return answer["autoSelectNode"], [n["id"] for kind in nodes.values() for n in kind if n["active"]]


def test_no_node_is_active_while_the_project_selects_automatically(start):
    _, api = start()
    assert selection(api("projects/nodes/read", projectId=7)) == (True, [])


@pytest.mark.parametrize("nothing", [{}, {"nodes": []}])
def test_the_nodes_that_a_project_selects_are_active_in_it_alone(start, nothing):
    _, api = start({"projects": [{"name": "Alpha {n}", "id": 7, "count": 2}]})
    chosen = [api("projects/nodes/read", projectId=7)["nodes"]["live"][0]["id"]]
    assert selection(api("projects/nodes/update", projectId=7, nodes=chosen)) == (False, chosen)
    assert selection(api("projects/nodes/read", projectId=8)) == (True, [])
    assert selection(api("projects/nodes/update", projectId=7, **nothing)) == (True, [])


def test_a_scenario_can_select_nodes_for_every_project(start):
    _, api = start({"nodes": {"live": [{"name": "a"}, {"name": "b", "id": "LN-b", "active": True}]}})
    assert selection(api("projects/nodes/read", projectId=7)) == (False, ["LN-b"])
