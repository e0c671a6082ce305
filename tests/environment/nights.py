"""Harvests of a sandbox whose projects have thousands of insights."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.client import QuantConnectClient
from quantconnect_provider.harvest import HarvestOptions, HarvestReport, Store, harvest
from quantconnect_provider.sandbox import RemoteSandbox
from tests.harvest.contents import assert_same, deployment_row, stored_insights

SCENARIO: dict[str, Any] = {
    "projects": [
        {
            "name": f"Project {number}",
            "deployments": [{"insights": {"history": {"count": count, "every_seconds": 60}}}],
        }
        for number, count in enumerate((4000, 400, 90))
    ],
    "nodes": {"live": [{"name": f"node {number}"} for number in range(3)]},
}


def client_of(sandbox: RemoteSandbox) -> QuantConnectClient:
    return QuantConnectClient(sandbox.user_id, sandbox.api_token, sandbox.base_url)


def night(sandbox: RemoteSandbox, store: Store) -> HarvestReport:
    """Harvest everything, with small commits."""
    with client_of(sandbox) as client:
        return harvest(client, store, client.list_live(), HarvestOptions(commit_rows=200))


def assert_whole(sandbox: RemoteSandbox, store: Store) -> None:
    for deployment in sandbox.deployments():
        assert_same(sandbox, store, deployment["deploy_id"])


def assert_nothing_half_stored(sandbox: RemoteSandbox, store: Store) -> None:
    """What is stored of each deployment is its list from the start to the place where it will go on."""
    for deployment in sandbox.deployments():
        stored = stored_insights(store, deployment["deploy_id"])
        places = sorted(row["position"] for row in stored.values())
        assert places == list(range(len(places)))
        if places:
            assert deployment_row(store, deployment["deploy_id"])["last_position"] == places[-1]
