from __future__ import annotations

import pytest
import requests

from quantconnect_provider.sandbox import RemoteSandbox, VerbError


def test_verbs_are_carried_out_over_http(start):
    sandbox, _ = start()
    before = sandbox.now()
    answer = requests.post(f"{sandbox.url}/sandbox/advance", json={"seconds": 60}, timeout=10)
    assert answer.json() == {"result": before + 60}


def test_every_verb_does_the_same_from_another_process(start):
    sandbox, api = start()
    remote = RemoteSandbox(sandbox.port)
    deploy_id = remote.deploy(7)
    remote.advance(10)
    remote.add_insights(deploy_id, 3)
    assert remote.deployments() == sandbox.deployments()
    assert remote.insights(deploy_id) == sandbox.insights(deploy_id)
    assert api("live/read", projectId=7)["deployId"] == deploy_id


@pytest.mark.parametrize(
    ("verb", "arguments", "complaint"),
    [
        ("advanze", {}, "no control verb 'advanze'"),
        ("advance", {"minutes": 1}, "advance: "),
        ("advance", {"seconds": -1}, "cannot go back"),
        ("set_speed", {"speed": -1}, "cannot run backwards"),
        ("fail", {"deploy_id": "L-0"}, "no deployment L-0"),
        ("configure_project", {"project_id": 8}, "no project 8"),
        ("add_fault", {"statis": 500}, "unknown field `statis`"),
        ("set_node_busy", {"node_id": "LN-0"}, "no live node LN-0"),
    ],
)
def test_a_verb_that_cannot_be_carried_out_says_why(start, verb, arguments, complaint):
    sandbox, _ = start()
    response = requests.post(f"{sandbox.url}/sandbox/{verb}", json=arguments, timeout=10)
    assert response.status_code == 400
    assert complaint in response.json()["error"]


def test_a_verb_raises_in_process_what_it_answers_over_http(start):
    sandbox, _ = start()
    with pytest.raises(VerbError, match="insights have no colour"):
        sandbox.change_insights(sandbox.deploy(7), [0], {"colour": "red"})


def test_a_request_that_hangs_does_not_block_the_verbs(start):
    sandbox, _ = start({"api": {"latency_seconds": 60}})
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.base_url}/authenticate", timeout=0.1)
    assert RemoteSandbox(sandbox.port).counters()["requests"] == 1


def test_time_can_run_faster(start):
    sandbox, _ = start()
    before = sandbox.now()
    sandbox.set_speed(1e6)
    while sandbox.now() < before + 1000:
        pass
    sandbox.set_speed(0)
    assert sandbox.now() == sandbox.now()


def test_a_project_can_be_configured_while_it_is_there(start):
    sandbox, api = start()
    sandbox.configure_project(7, build={"polls": 0, "result": "BuildError"})
    compile_id = api("compile/create", projectId=7)["compileId"]
    assert api("compile/read", projectId=7, compileId=compile_id)["state"] == "BuildError"


def test_a_project_can_be_added(start):
    sandbox, api = start()
    project_id = sandbox.add_project("Beta", deployments=[{"status": "Running"}])
    assert api("live/read", projectId=project_id)["projectName"] == "Beta"


def test_somebody_else_can_deploy(start):
    sandbox, api = start()
    deploy_id = sandbox.deploy(7)
    assert api("live/read", projectId=7)["deployId"] == deploy_id
    assert api("nodes/read")["live"][0]["busy"] is True


def test_a_deployment_can_be_made_to_fail_and_come_back(start):
    sandbox, api = start()
    deploy_id = sandbox.deploy(7)
    sandbox.fail(deploy_id, message="boom", restart_after_seconds=100)
    failed = api("live/read", projectId=7)
    sandbox.advance(200)
    assert (failed["status"], failed["message"]) == ("RuntimeError", "boom")
    assert api("live/read", projectId=7)["status"] == "Running"


def test_a_deployment_can_have_any_status(start):
    sandbox, api = start()
    sandbox.set_status(sandbox.deploy(7), "PendingInput")
    assert api("live/read", projectId=7)["status"] == "PendingInput"


def test_the_truth_tells_what_was_asked_of_a_deployment(start):
    sandbox, api = start()
    api.create(7, brokerage={"id": "BinanceBrokerage", "binance-api-secret": "s"})
    api("live/update/stop", projectId=7)
    (deployment,) = sandbox.deployments()
    assert deployment["requested"] == ["stop"]
    assert deployment["request"]["brokerage"]["binance-api-secret"] == "s"


def test_cash_and_holdings_can_be_set(start):
    sandbox, api = start()
    deploy_id = sandbox.deploy(7)
    sandbox.set_cash(deploy_id, [{"currency": "EUR", "amount": 3}])
    sandbox.set_holdings(deploy_id, [{"symbol": "SPY", "quantity": 1, "averagePrice": 2, "price": 3}])
    portfolio = api("live/portfolio/read", projectId=7)["portfolio"]
    assert list(portfolio["cash"]) == ["EUR"]
    assert portfolio["holdings"]["SPY"] == {"a": 2, "q": 1, "p": 3, "v": 3, "u": 1, "up": 50}


def test_everything_can_begin_anew(start):
    sandbox, api = start()
    sandbox.deploy(7)
    sandbox.add_fault(status=500)
    sandbox.reset()
    assert api("authenticate")["success"] is True
    assert sandbox.deployments() == []


def test_it_can_begin_anew_as_something_else(start):
    sandbox, api = start()
    sandbox.reset({"projects": [{"name": "Beta", "id": 9}]})
    assert [project["projectId"] for project in api("projects/read")["projects"]] == [9]


def test_insights_can_be_forced_to_show(start):
    sandbox, api = start({"api": {"insights": {"refresh_seconds": 600}}})
    deploy_id = sandbox.deploy(7)
    sandbox.advance(10)
    sandbox.add_insights(deploy_id, 4)
    sandbox.refresh_insights(deploy_id)
    assert api("live/insights/read", projectId=7, start=0, end=100)["length"] == 4


def test_the_list_of_insights_can_be_emptied(start):
    sandbox, api = start()
    deploy_id = sandbox.deploy(7)
    sandbox.add_insights(deploy_id, 4)
    sandbox.clear_insights(deploy_id)
    assert api("live/insights/read", projectId=7, start=0, end=100)["length"] == 0


def test_configuring_one_of_many_projects_leaves_the_others_alone(start):
    sandbox, api = start({"projects": [{"name": "Quiet {n}", "id": 100, "count": 2, "build": {"polls": 0}}]})
    sandbox.configure_project(100, build={"result": "BuildError"})
    states = []
    for project_id in (100, 101):
        compile_id = api("compile/create", projectId=project_id)["compileId"]
        states.append(api("compile/read", projectId=project_id, compileId=compile_id)["state"])
    assert states == ["BuildError", "BuildSuccess"]


def test_a_verb_raises_from_another_process_what_it_answers(start):
    sandbox, _ = start()
    with pytest.raises(VerbError, match="no deployment L-0"):
        RemoteSandbox(sandbox.port).fail("L-0")


def test_insights_can_be_emitted_with_fields_of_ones_own(start):
    sandbox, _ = start()
    deploy_id = sandbox.deploy(7)
    sandbox.add_insights(deploy_id, 2, fields={"confidence": 0.25})
    assert [row["confidence"] for row in sandbox.insights(deploy_id)["rows"]] == [0.25, 0.25]


def test_an_insight_has_no_other_fields(start):
    sandbox, _ = start()
    with pytest.raises(VerbError, match="insights have no colour"):
        sandbox.add_insights(sandbox.deploy(7), fields={"colour": "red"})
