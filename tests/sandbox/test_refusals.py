"""Requests that the API refuses, with HTTP 200 and a text, or that are none of its own."""

from __future__ import annotations

import pytest
import requests

BROKERAGE = {"id": "QuantConnectBrokerage"}
STRANGE_CASH = {**BROKERAGE, "cash": [{"currency": "USD"}]}


@pytest.mark.parametrize(
    ("endpoint", "fields", "complaint"),
    [
        ("compile/read", {"projectId": 7}, "Invalid argument: compileId"),
        ("compile/read", {"projectId": 7, "compileId": ""}, "Invalid argument: compileId"),
        ("compile/read", {"projectId": 7, "compileId": [1]}, "Invalid argument: compileId"),
        ("compile/read", {"projectId": 7, "compileId": "none"}, "Compile id not found"),
        ("live/commands/broadcast", {"organizationId": "no", "command": {"n": 1}}, "Organization not found"),
        ("live/insights/read", {"projectId": 7, "start": 5, "end": 4}, "Invalid argument: start and end"),
        ("live/insights/read", {"projectId": 7, "start": -1, "end": 4}, "Invalid argument: start and end"),
        ("live/list", {"status": "Napping"}, "Invalid argument: status"),
        ("projects/nodes/update", {"projectId": 7, "nodes": "LN-1"}, "Invalid argument: nodes"),
        ("projects/create", {"name": "New", "language": "R"}, "Invalid argument: language"),
    ],
)
def test_a_field_that_cannot_be_right_is_named(start, endpoint, fields, complaint):
    _, api = start()
    answer = api(endpoint, **fields)
    assert (answer["success"], answer["errors"][0].split(". ")[0]) == (False, complaint)


def test_a_build_of_another_project_is_not_found(start):
    _, api = start({"projects": [{"name": "Alpha {n}", "id": 7, "count": 2}]})
    answer = api("compile/read", projectId=8, compileId=api.built(7))
    assert answer["errors"][0].startswith("Compile id not found")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"nodeId": "LN-none"}, "Live node not found: LN-none"),
        ({"brokerage": STRANGE_CASH}, "Invalid argument: cash and holdings"),
    ],
)
def test_a_deployment_that_cannot_be_made_is_refused(start, fields, complaint):
    sandbox, api = start()
    answer = api.create(7, **fields)
    assert answer["errors"][0].startswith(complaint)
    assert sandbox.deployments() == []


def test_a_deployment_that_is_over_takes_no_command(start):
    sandbox, api = start()
    sandbox.set_status(sandbox.deploy(7), "Stopped")
    answer = api("live/commands/create", projectId=7, command={"n": 1})
    assert answer["errors"][0].startswith("Live algorithm is not running")
    assert sandbox.deployments()[0]["commands"] == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"{", "Invalid JSON in the request body"),
        (b"[1]", "Invalid argument: the request body must be an object"),
    ],
)
def test_a_body_that_is_no_object_is_refused(start, body, complaint):
    sandbox, api = start()
    url = f"{sandbox.base_url}/projects/read"
    answer = requests.post(url, data=body, timeout=10, **api.headers_and_auth()).json()
    assert answer == {"errors": [complaint], "success": False}


def test_a_body_of_several_pieces_is_read_whole(start):
    _, api = start()
    long = "x" * 1_000_000
    api("files/create", projectId=7, name="long.py", content=long)
    assert api("files/read", projectId=7, name="long.py")["files"][0]["content"] == long


def test_what_is_neither_api_nor_control_is_a_page_that_does_not_exist(start):
    sandbox, _ = start()
    response = requests.get(f"{sandbox.url}/api", timeout=10)
    assert (response.status_code, response.headers["content-type"]) == (404, "text/html")
