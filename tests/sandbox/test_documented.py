"""docs/sandbox.md names everything that the sandbox has."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantconnect_provider.sandbox import endpoints
from quantconnect_provider.sandbox.api_spec import Api, ChartApi, InsightApi, RowApi
from quantconnect_provider.sandbox.control.verb import VERBS
from quantconnect_provider.sandbox.endpoints.registry import ENDPOINTS
from quantconnect_provider.sandbox.scenario_spec import Deploy, DeploymentSpec, Insights, Orders, Project

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
PARTS = (Api, ChartApi, InsightApi, RowApi, Deploy, DeploymentSpec, Insights, Orders, Project)


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_control_verb_is_documented(name):
    assert f"`{name}(" in DOCUMENT


@pytest.mark.parametrize("path", sorted(ENDPOINTS))
def test_every_endpoint_is_documented(path):
    assert endpoints.__all__
    assert f"`{path}`" in DOCUMENT


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_option_of_a_scenario_is_documented(part):
    assert [name for name in part.__struct_fields__ if name not in DOCUMENT] == []
