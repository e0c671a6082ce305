from __future__ import annotations

import pytest

HISTORY = {"history": {"count": 1200, "every_seconds": 60, "period_seconds": 600}}
TWO = [{"status": "Stopped", "stopped_ago_seconds": 3_600}, {"status": "Running"}]


@pytest.fixture
def exported(start):
    """The rows of an export of a project with two deployments, and the sandbox."""

    def starter(**modes):
        project = {"name": "Alpha", "id": 7, "insights": HISTORY, "deployments": TWO}
        sandbox, api = start({"projects": [project], "api": {"insights": modes}})
        response = api.post("live/export/insights", deployId=sandbox.deployments()[0]["deploy_id"])
        return response, sandbox

    return starter


def test_the_export_has_the_insights_of_all_deployments_of_the_project(exported):
    response, sandbox = exported()
    expected = {
        row["insight_id"] for d in sandbox.deployments() for row in sandbox.insights(d["deploy_id"])["rows"]
    }
    assert {row["insight_id"] for row in response.json()} == expected


def test_the_export_is_sorted_by_the_time_of_generation(exported):
    times = [row["generated_time"] for row in exported()[0].json()]
    assert times == sorted(times)
    assert len(times) == 2400


def test_the_export_has_its_own_names_and_an_internal_deployment_number(exported):
    response, sandbox = exported()
    row = response.json()[0]
    assert row["deploy_id"] == sandbox.deployments()[0]["number"]
    assert (row["project_id"], row["source"]) == (7, "live trading")


def test_the_export_is_a_file_to_download(exported):
    assert exported()[0].headers["Content-Disposition"] == 'attachment; filename="insights.json"'


def test_a_row_changed_by_hand_is_exported_as_all_others(start):
    project = {"name": "Alpha", "id": 7, "insights": HISTORY, "deployments": [{}]}
    sandbox, api = start({"projects": [project]})
    deploy_id = sandbox.deployments()[0]["deploy_id"]
    before = api.post("live/export/insights", deployId=deploy_id).text
    sandbox.change_insights(deploy_id, [0, 7], {"tag": None})
    assert api.post("live/export/insights", deployId=deploy_id).text == before


def test_the_export_can_be_limited(exported):
    assert len(exported(export_limit=700)[0].json()) == 700


def test_the_export_can_be_an_object(exported):
    assert len(exported(export="object")[0].json()["insights"]) == 2400


def test_the_export_can_write_ids_with_dashes(exported):
    assert exported(export_dashes=True)[0].json()[0]["insight_id"].count("-") == 4


def test_the_export_can_be_missing(exported):
    assert exported(export="off")[0].json()["success"] is False


def test_the_export_of_an_unknown_deployment_is_an_error(start):
    _, api = start()
    assert "No live deployment found" in api("live/export/insights", deployId="L-0")["errors"][0]


def test_the_export_of_a_deployment_without_insights_is_an_empty_list(start):
    sandbox, api = start({"projects": [{"name": "Alpha", "id": 7, "deployments": [{}]}]})
    assert api.post("live/export/insights", deployId=sandbox.deployments()[0]["deploy_id"]).json() == []
