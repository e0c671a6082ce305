from __future__ import annotations

import json
import tracemalloc

import pytest

from quantconnect_provider.sandbox import Sandbox, SandboxProcess
from tests.sandbox.conftest import Api

MILLION = {
    "name": "Old",
    "id": 7,
    "insights": {"history": {"count": 1_000_000, "every_seconds": 30}},
    "deployments": [{"status": "Running"}],
}


def test_a_million_insights_take_next_to_no_memory():
    tracemalloc.start()
    try:
        with Sandbox({"projects": [MILLION]}) as sandbox:
            api = Api(sandbox)
            for start in (0, 500_000, 999_900):
                assert (
                    len(api("live/insights/read", projectId=7, start=start, end=start + 100)["insights"])
                    == 100
                )
            assert tracemalloc.get_traced_memory()[1] < 16e6
    finally:
        tracemalloc.stop()


def test_a_million_insights_are_there_at_once():
    with Sandbox({"projects": [MILLION]}) as sandbox:
        assert sandbox.deployments()[0]["insights"] == 1_000_000


@pytest.fixture
def thousand():
    project = {
        "name": "Quiet {n}",
        "count": 1000,
        "insights": {"history": {"count": 200}},
        "deployments": [{}],
    }
    with Sandbox({"projects": [project]}) as sandbox:
        yield Api(sandbox)


def test_a_thousand_projects_are_listed_in_one_answer(thousand):
    assert len(thousand("live/list")["live"]) == 1000


def test_each_of_a_thousand_projects_has_its_own_insights(thousand):
    project_ids = [project["projectId"] for project in thousand("projects/read")["projects"]]
    found = {
        insight["id"]
        for project_id in project_ids[::100]
        for insight in thousand("live/insights/read", projectId=project_id, start=0, end=100)["insights"]
    }
    assert len(found) == 1000


def test_an_export_of_many_rows_comes_in_pieces_and_lets_others_pass():
    scenario = {"projects": [{**MILLION, "insights": {"history": {"count": 50_000}}}]}
    with SandboxProcess(scenario) as sandbox:
        api = Api(sandbox)
        url = f"{sandbox.base_url}/live/export/insights"
        body = {"deployId": sandbox.deployments()[0]["deploy_id"]}
        with api.session.post(url, json=body, stream=True, timeout=60, **api.headers_and_auth()) as response:
            pieces = response.iter_content(65_536)
            first = next(pieces)
            assert Api(sandbox)("authenticate")["success"] is True
            assert len(json.loads(first + b"".join(pieces))) == 50_000
