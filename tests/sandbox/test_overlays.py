"""Answers in shapes that the API is not known to give, on request."""

from __future__ import annotations

import pytest


def overlaid(start, endpoint, fields, **more):
    sandbox, api = start({"api": {"overlays": [{"endpoint": endpoint, "fields": fields, **more}]}})
    sandbox.deploy(7)
    sandbox.set_holdings(
        sandbox.deployments()[0]["deploy_id"], [{"symbol": "SPY", "quantity": 2, "averagePrice": 10}]
    )
    return sandbox, api


@pytest.mark.parametrize("value", [[], None, "nothing", {"SPY": 1}, 0])
def test_a_field_can_have_any_value(start, value):
    _, api = overlaid(start, "live/read", {"message": value})
    assert api("live/read", projectId=7)["message"] == value


def test_a_field_can_be_absent(start):
    _, api = overlaid(start, "live/portfolio/read", {"portfolio": {"holdings": {"$absent": True}}})
    assert list(api("live/portfolio/read", projectId=7)["portfolio"]) == ["cash"]


def test_every_field_of_an_object_can_be_reached(start):
    fields = {"portfolio": {"holdings": {"*": {"q": "2"}}}}
    _, api = overlaid(start, "live/portfolio/read", fields)
    holding = api("live/portfolio/read", projectId=7)["portfolio"]["holdings"]["SPY"]
    assert (holding["q"], holding["a"]) == ("2", 10)


def test_every_row_of_a_list_can_be_reached(start):
    _, api = overlaid(start, "live/list", {"live": {"status": "Napping"}})
    (row,) = api("live/list")["live"]
    assert (row["status"], row["projectId"]) == ("Napping", 7)


def test_success_itself_can_be_odd(start):
    _, api = overlaid(start, "live/update/stop", {"success": "false"})
    assert api("live/update/stop", projectId=7)["success"] == "false"


def test_an_overlay_may_be_for_one_project(start):
    _, api = overlaid(start, "live/read", {"status": "Napping"}, project_id=8)
    assert api("live/read", projectId=7)["status"] == "InQueue"


def test_overlays_can_be_taken_away(start):
    sandbox, api = overlaid(start, "live/read", {"status": "Napping"})
    sandbox.set_api(overlays=[])
    assert api("live/read", projectId=7)["status"] == "InQueue"
