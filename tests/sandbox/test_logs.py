from __future__ import annotations

import re

import pytest

STARTED_SECONDS = 10
"""More than the three starting stages take by default."""


def read(api, deploy_id, start=0, end=250, **fields):
    return api("live/logs/read", projectId=7, algorithmId=deploy_id, startLine=start, endLine=end, **fields)


@pytest.fixture
def running(start):
    """A sandbox, its API and the id of a deployment that runs in project 7."""
    sandbox, api = start()
    deploy_id = api.create(7)["deployId"]
    sandbox.advance(STARTED_SECONDS)
    return sandbox, api, deploy_id


def test_the_first_line_names_the_deployment_and_has_no_time(running):
    _, api, deploy_id = running
    first = read(api, deploy_id)["logs"][0]
    assert re.fullmatch(rf"Launching analysis for {deploy_id} with LEAN Engine v\d+(\.\d+)+", first)


def test_every_other_line_has_its_time_in_front(running):
    sandbox, api, deploy_id = running
    api("live/update/stop", projectId=7)
    sandbox.advance(10)
    lines = read(api, deploy_id)["logs"]
    assert len(lines) >= 10
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S", line) for line in lines[1:])


def test_an_algorithm_may_log_at_intervals(start):
    sandbox, _ = start({"projects": [{"name": "Alpha", "id": 7, "deploy": {"log_every_seconds": 60}}]})
    deploy_id = sandbox.deploy(7)
    sandbox.advance(STARTED_SECONDS)
    before = len(sandbox.deployments()[0]["logs"])
    sandbox.advance(600)
    assert len(sandbox.deployments()[0]["logs"]) - before == 10
    sandbox.set_status(deploy_id, "Stopped")
    over = len(sandbox.deployments()[0]["logs"])
    sandbox.advance(600)
    assert len(sandbox.deployments()[0]["logs"]) == over


def test_a_query_counts_the_lines_that_contain_it(running):
    _, api, deploy_id = running
    answer = read(api, deploy_id, query="SETUP", start=1, end=3)
    assert [line.split(" ", 2)[2][:6] for line in answer["logs"]] == ["Setup:", "Setup:"]


def test_one_deployments_lines_can_be_read_alone(running):
    sandbox, api, first = running
    sandbox.set_status(first, "Stopped")
    second = api.create(7)["deployId"]
    answer = read(api, second, deploymentLogs=True)
    assert answer["logs"] == next(d for d in sandbox.deployments() if d["deploy_id"] == second)["logs"]


def test_log_lines_are_counted_over_all_deployments(start):
    sandbox, api = start()
    sandbox.set_status(api.create(7)["deployId"], "Stopped")
    earlier = len(sandbox.deployments()[0]["logs"])
    second = api.create(7)["deployId"]
    answer = api("live/logs/read", projectId=7, algorithmId=second, startLine=earlier, endLine=earlier + 1)
    assert answer["deploymentOffset"] == earlier
    assert second in answer["logs"][0]


def test_too_many_log_lines_at_once_are_refused(start):
    _, api = start()
    deploy_id = api.create(7)["deployId"]
    assert not api("live/logs/read", projectId=7, algorithmId=deploy_id, startLine=0, endLine=251)["success"]


def test_a_command_before_the_algorithm_runs_is_lost(start):
    sandbox, api = start()
    api.create(7)
    early = api("live/commands/create", projectId=7, command={"n": 1})
    sandbox.advance(STARTED_SECONDS)
    api("live/commands/create", projectId=7, command={"n": 2})
    assert early["success"] is True
    assert sandbox.deployments()[0]["commands"] == [{"n": 2}]


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ({"text": "foo"}, "Generic command. data.text: foo"),
        (
            {"$type": "MyCommand", "text": "boo", "number": 1, "parameters": {"hello": "world"}},
            "Encapsulated command. text: boo; number: 1; parameters: {'hello': 'world'}",
        ),
    ],
)
def test_what_a_command_does_shows_in_the_log(running, command, line):
    _, api, deploy_id = running
    api("live/commands/create", projectId=7, command=command)
    assert read(api, deploy_id)["logs"][-1].endswith(line)


@pytest.mark.parametrize("command", [None, {}, "text", [1]])
def test_a_command_that_is_no_object_is_refused(running, command):
    _, api, _ = running
    assert api("live/commands/create", projectId=7, command=command)["success"] is False


def test_a_broadcast_reaches_every_running_deployment_but_the_excluded(start):
    nodes = {"live": [{"name": "a"}, {"name": "b"}]}
    sandbox, api = start({"nodes": nodes, "projects": [{"name": "Alpha {n}", "id": 7, "count": 2}]})
    sandbox.deploy(7), sandbox.deploy(8)
    sandbox.advance(STARTED_SECONDS)
    organization = api("organizations/list")["organizations"][0]["id"]
    api("live/commands/broadcast", organizationId=organization, command={"n": 1}, excludeProjectId=8)
    assert [d["commands"] for d in sandbox.deployments()] == [[{"n": 1}], []]


def test_an_algorithm_can_be_told_to_log_no_more(start):
    sandbox, _ = start({"projects": [{"name": "Alpha", "id": 7, "deploy": {"log_every_seconds": 60}}]})
    sandbox.deploy(7)
    sandbox.advance(STARTED_SECONDS)
    before = len(sandbox.deployments()[0]["logs"])
    sandbox.configure_project(7, deploy={"log_every_seconds": 0})
    sandbox.advance(600)
    assert len(sandbox.deployments()[0]["logs"]) - before == 1  # the one that was due already
