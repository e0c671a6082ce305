"""Text that others wrote (an algorithm, QuantConnect, a DAG) in every field of the page, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Text, update

from quantconnect_provider.store import Store
from quantconnect_provider.store.schema import deployments, harvests, insights
from quantconnect_provider.store.watch_tables import events
from tests.ui import seed
from tests.ui.test_page import ALONE, loaded

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from sqlalchemy import Table

    Open = Callable[..., Page]

PAYLOAD = (
    "javascript:window.hacked=1//'\"><svg onload=window.hacked=1>"
    "<img src=//127.0.0.9/x onerror=window.hacked=1><script>window.hacked=1</script></title></textarea>"
    "<a href=javascript:window.hacked=1>x</a><base href=//127.0.0.9/>"
    "${window.hacked=1}{{constructor.constructor('window.hacked=1')()}}\u202e\x1b[31m"
)
DEPLOY_ID = (
    "L-javascript:window.hacked=1//'\"><img src=x onerror=window.hacked=1>/../../../api/v2/connections?x=#"
)
TABLES: dict[Table, set[str]] = {
    deployments: {"project_name", "status", "brokerage"},
    insights: {"symbol", "ticker", "insight_type", "direction", "source_model", "group_id", "tag"},
    harvests: {"run_id", "status", "error"},
    events: {"kind", "severity", "message", "action", "action_run_id"},
}


@pytest.fixture
def hostile(store: Store) -> Store:
    """A store whose every text is hostile, and one deployment whose id is."""
    with store.engine.begin() as connection:
        for table, names in TABLES.items():
            texts = {column.name for column in table.columns if isinstance(column.type, Text)}
            assert names <= texts
            connection.execute(update(table).values(dict.fromkeys(names, PAYLOAD)))
            mine = table.c.deploy_id == seed.deploy_id_of(11000002)
            connection.execute(update(table).where(mine).values(deploy_id=DEPLOY_ID))
    return store


def test_no_field_becomes_markup_script_or_a_foreign_address(
    open_page: Open, hostile: Store, address: str
) -> None:
    page = open_page("/quantconnect/static/icon.svg")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + ALONE)
    loaded(page)
    links = _check(page, address)
    (mine,) = {link for link in links if "#/deployment/L-javascript" in link}
    page.goto("about:blank")
    page.goto(mine)
    loaded(page)
    _check(page, address)
    assert page.get_by_text("<svg onload", exact=False).count() > 5
    assert [url for url in asked if not url.startswith((address, "about:"))] == []
    assert any("/quantconnect/api/insights?" in url for url in asked)
    assert not [url for url in asked if "/api/v2/connections" in url.partition("?")[0]]


def _check(page: Page, address: str) -> set[str]:
    """Check what is on the page now; returns its links."""
    assert page.evaluate("window.hacked") is None
    foreign = ".qc script, .qc img, .qc iframe, .qc base, .qc svg[onload]"
    assert page.locator(foreign).count() == 0
    links = set(page.evaluate("[...document.querySelectorAll('.qc a')].map((each) => each.href)"))
    known = (f"{address}/", "https://www.quantconnect.com/")
    assert [link for link in links if not link.startswith(known)] == []
    assert page.complaints == []  # type: ignore[attr-defined]
    return links
