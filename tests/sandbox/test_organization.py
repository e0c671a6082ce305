"""Account and organization, as QuantConnect's command-line client asks for them."""

from __future__ import annotations

import pytest

NAMED = {"account": {"organization_id": "0123", "organization_name": "Firm", "user_name": "Ann"}}


@pytest.fixture
def api(start):
    """The API of a sandbox whose account belongs to the organization 0123."""
    return start(NAMED)[1]


def test_the_organization_is_the_scenarios(api):
    (organization,) = api("organizations/list")["organizations"]
    assert (organization["id"], organization["name"], organization["ownerName"]) == ("0123", "Firm", "Ann")


def test_the_organizations_member_is_the_user(api):
    organization = api("organizations/read", organizationId="0123")["organization"]
    assert [(member["id"], member["name"]) for member in organization["members"]] == [(1, "Ann")]


@pytest.mark.parametrize("asked", [{}, {"organizationId": ""}, {"organizationId": "0123"}])
def test_without_an_organization_the_account_is_that_of_the_only_one(api, asked):
    assert api("account/read", **asked)["organizationId"] == "0123"


@pytest.mark.parametrize("endpoint", ["account/read", "organizations/read", "nodes/read"])
def test_another_organization_is_refused(api, endpoint):
    answer = api(endpoint, organizationId="4567")
    assert (answer["success"], answer["errors"][0].split(".")[0]) == (False, "Organization not found")


def test_an_environment_to_run_in_is_the_default_one(api):
    (environment,) = api("lean/environments/read")["environments"]
    assert (environment["name"], environment["public"]) == ("Default", True)
