"""Harvests against the fake API."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.harvest import HarvestOptions, HarvestReport, Store, harvest
from tests.harvest.fake_api import FakeApi


def harvest_all(api: FakeApi, store: Store, **settings: Any) -> HarvestReport:
    """Harvest every deployment; the API's list of requests begins anew."""
    api.requests.clear()
    return harvest(api, store, api.list_live(), HarvestOptions(**settings), run_id="a run", clock=api.clock)


def night(api: FakeApi, store: Store, **settings: Any) -> HarvestReport:
    """Harvest every deployment; all must succeed."""
    report = harvest_all(api, store, **settings)
    report.raise_if_failed()
    return report
