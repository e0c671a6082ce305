"""The page in a browser, over Airflow's own web application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from dev.processes import wait_until
from quantconnect_provider.store import Store
from quantconnect_provider.store.migrate import HEAD
from tests.ui import seed
from tests.ui.browser import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Open = Callable[..., Page]

ALONE = "/quantconnect/"
HOSTED = "/plugin/quantconnect"
ETF, HOSTILE = seed.deploy_id_of(11000001), seed.deploy_id_of(11000005)


def rows(page: Page, caption: str) -> int:
    return page.locator(f"table:has(caption:text-is('{caption}')) tbody tr").count()


def loaded(page: Page) -> Page:
    """Wait until nothing on the page is being read any more."""
    page.wait_for_selector(".qc table")
    until(page, "!document.querySelector('.qc [aria-busy], .qc .loading')")
    return page


def until(page: Page, expression: str) -> None:
    """Wait for a condition; Playwright's own way needs eval, which the page's policy forbids."""
    assert wait_until(lambda: bool(page.evaluate(expression)), 60, every=0.1), expression


def test_the_table_shows_every_deployment_with_status_in_words(open_page: Open, store: Store) -> None:
    page = loaded(open_page(ALONE))
    assert rows(page, "Live deployments") == 5
    assert page.locator(".pill .dot").count() == 5
    first = page.locator("tbody tr").first.inner_text()
    for text in ("Pairs mean reversion", "Alpaca", "RuntimeError", "for 4 h", "1 open", "9 h ago"):
        assert text in first
    assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", [ALONE, f"{ALONE}#/deployment/{ETF}", f"{ALONE}#/deployment/{HOSTILE}"])
def test_hostile_text_is_shown_as_text_and_nothing_foreign_is_loaded(
    open_page: Open, store: Store, address: str, path: str
) -> None:
    page = open_page("/quantconnect/static/icon.svg")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + path)
    loaded(page)
    assert page.get_by_text("<img src=x onerror", exact=False).count() > 0
    assert page.evaluate("window.hacked") is None
    assert page.locator(".qc img").count() == 0
    assert [url for url in asked if not url.startswith(address)] == []
    assert len(asked) > 10
    assert page.complaints == []  # type: ignore[attr-defined]


def test_filters_stay_in_the_address(open_page: Open, store: Store) -> None:
    page = loaded(open_page(f"{ALONE}#/deployment/{ETF}"))
    page.locator("select[name=direction]").select_option("down")
    page.get_by_label("Search").fill("breakout")
    until(page, "location.hash.includes('search=breakout')")
    loaded(page)
    assert set(page.locator(".direction").all_inner_texts()) == {"down"}
    assert "direction=down" in page.url
    shown = page.locator(".direction").count()
    page.reload()
    loaded(page)
    page.wait_for_selector(".direction")
    assert page.locator(".direction").count() == shown > 0
    assert page.locator("select[name=direction]").input_value() == "down"


def test_sorting_and_paging_work_with_the_keyboard(open_page: Open, store: Store) -> None:
    page = loaded(open_page(f"{ALONE}#/deployment/{ETF}"))
    heading = page.locator("th:has(button[data-focus='sort confidence'])")
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("th[aria-sort=descending] button[data-focus='sort confidence']")
    loaded(page)
    assert page.evaluate("document.activeElement.dataset.focus") == "sort confidence"
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    page.get_by_text("51\u2013100 of 400").wait_for()
    assert "sort=confidence" in page.url
    assert "offset=50" in page.url
    assert page.evaluate("document.activeElement.dataset.focus") == "next"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [ALONE, f"{ALONE}#/deployment/{ETF}", HOSTED])
def test_axe_finds_nothing_serious(open_page: Open, store: Store, path: str, scheme: str) -> None:
    page = loaded(open_page(path, color_scheme=scheme))
    assert ("dark" in (page.get_attribute("html", "class") or "")) == (scheme == "dark")
    assert violations(page) == []


def test_the_theme_chosen_in_airflow_wins_over_the_systems(open_page: Open, store: Store) -> None:
    page = loaded(open_page(ALONE, color_scheme="light"))
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    loaded(page)
    assert "dark" in (page.get_attribute("html", "class") or "")


def test_an_empty_store_says_what_to_do(open_page: Open, store_path: object) -> None:
    page = open_page(ALONE)
    page.get_by_role("heading", name="No deployments yet").wait_for()
    assert page.get_by_role("link", name="Deploy a project").count() == 2


def test_what_cannot_be_read_is_an_alert_with_a_way_to_try_again(open_page: Open, store: Store) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE quantconnect_alembic_version SET version_num = '9999'")
    page = open_page(ALONE)
    page.get_by_role("alert").first.wait_for()
    assert "9999" in page.get_by_role("alert").first.inner_text()
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE quantconnect_alembic_version SET version_num = '{HEAD}'")
    for button in page.get_by_role("button", name="Try again").all()[::-1]:
        button.click()
    loaded(page)
    assert rows(page, "Live deployments") == 5


def test_the_page_and_the_panel_are_part_of_airflows_interface(open_page: Open, store: Store) -> None:
    page = open_page("/")
    panel = page.get_by_role("region", name="QuantConnect live")
    panel.get_by_text("running").wait_for()
    numbers = panel.locator(".tile").all_inner_texts()
    assert [text.splitlines()[0] for text in numbers] == ["3", "1", "9 h", "2"]
    assert violations(page) == []
    page.get_by_role("link", name="Quant", exact=True).click()
    loaded(page)
    page.get_by_role("link", name="ETF momentum", exact=True).click()
    page.get_by_role("heading", name="ETF momentum", exact=True).wait_for()
    assert page.url.endswith(f"{HOSTED}#/deployment/{ETF}")
    page.go_back()
    loaded(page)
    assert rows(page, "Live deployments") == 5


def test_links_lead_to_runs_and_to_quantconnect(open_page: Open, store: Store, address: str) -> None:
    page = loaded(open_page(f"{HOSTED}#/deployment/{ETF}"))
    live = page.get_by_role("link", name="Live results")
    assert live.get_attribute("href") == "https://www.quantconnect.com/project/11000001/live"
    assert live.get_attribute("rel") == "noopener noreferrer"
    stopped = page.get_by_role("link", name="stop", exact=True).and_(page.locator("td a"))
    assert stopped.get_attribute("href") == f"{address}/dags/quantconnect_wind_down/runs/policy__1"
    run = page.locator("a[href*='quantconnect_harvest_insights/runs/']").first
    assert (run.get_attribute("href") or "").startswith(
        f"{address}/dags/quantconnect_harvest_insights/runs/scheduled__"
    )


def test_a_form_that_cannot_be_filled_in_leaves_the_values_to_copy(open_page: Open, store: Store) -> None:
    page = loaded(open_page(HOSTED))
    # Another test of this process may have put the DAGs into this Airflow, so their details are refused.
    page.route("**/api/v2/dags/quantconnect_wind_down/details*", lambda route: route.fulfill(status=404))
    page.get_by_role("link", name="Liquidate ETF momentum").click()
    notice = page.locator(".notice")
    notice.wait_for()
    assert '"project_ids": [\n    11000001\n  ]' in notice.inner_text()
    assert '"action": "liquidate"' in notice.inner_text()
    assert page.url.endswith("/dags/quantconnect_wind_down")
    assert violations(page, ".notice") == []


def test_a_viewer_without_login_gets_nothing(open_page: Open, store: Store) -> None:
    page = open_page(ALONE, role=None)
    assert "Not authenticated" in page.inner_text("body")
