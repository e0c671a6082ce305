"""What the page shows of scorecards that were computed from the store's insights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from quantconnect_provider.scorecard import compute_scorecards
from quantconnect_provider.store import Store
from tests.scorecard.rows import T0, deployed, insight, keep

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROUTES = "/quantconnect/api"


@pytest.fixture
def computed(store_path: Path) -> Store:
    """A store with the scorecards of five insights: three are scored, and two of these are hits."""
    with Store.open(f"sqlite:///{store_path}") as store:
        deployed(store, 1)
        keep(
            store,
            insight(reference_value_final=110.0),
            insight(reference_value_final=104.0, period_seconds=3600.0),
            insight(reference_value_final=98.0, ticker="QQQ"),
            # Counts as scored, but has no return: the mean is of the other three.
            insight(direction="flat", score_is_final=True, score_direction=0.0, source_model="Other"),
            insight(closes_at=T0 + timedelta(days=1)),
        )
        compute_scorecards(store)
        return store


def test_the_scores_of_a_project_are_those_of_its_scorecards(
    computed: Store, client_as: Callable[[str | None], Any]
) -> None:
    answer = client_as("viewer").get(f"{ROUTES}/scores", params={"project_id": 1}).json()

    spy, qqq = answer["by_ticker"]
    assert (spy["name"], spy["insights"], spy["open"], spy["scored"]) == ("SPY", 4, 1, 3)
    assert spy["hit_rate"] == pytest.approx(2 / 3)
    assert spy["mean_signed_return"] == pytest.approx((0.10 + 0.04) / 2)
    assert (qqq["hit_rate"], qqq["mean_signed_return"]) == (0.0, pytest.approx(-0.02))
    cross, other = answer["by_model"]
    assert (cross["name"], cross["hit_rate"]) == ("EmaCross", pytest.approx(2 / 3))
    assert cross["mean_signed_return"] == pytest.approx((0.10 + 0.04 - 0.02) / 3)
    assert (other["name"], other["hit_rate"], other["mean_signed_return"]) == ("Other", 0.0, None)
    assert answer["computed_at"] is not None


def test_the_deployment_shows_the_hit_rate_of_its_project(
    computed: Store, client_as: Callable[[str | None], Any]
) -> None:
    page = client_as("viewer").get(f"{ROUTES}/deployments").json()

    assert [row["hit_rate"] for row in page["rows"]] == [0.5]


def test_the_page_shows_the_scores(open_page: Callable[..., Page], computed: Store) -> None:
    page = open_page("/quantconnect/#/deployment/L-1")

    table = page.locator("table:has(caption:text-is('Scores by ticker'))")
    table.wait_for()
    assert [row.split("\t") for row in table.locator("tbody tr").all_inner_texts()] == [
        ["SPY", "4", "1", "3", "66.7 %", "7.00 %"],
        ["QQQ", "1", "0", "1", "0.0 %", "-2.00 %"],
    ]
