"""Debian's Chromium, driven by Playwright; ``CHROMIUM`` names another one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MILLISECONDS = 60_000


def chromium() -> str | None:
    """The browser's path; None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@contextmanager
def launched() -> Iterator[Browser]:
    """Start the browser."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI has to install Chromium: apt-get install chromium")
        pytest.skip("no Chromium here: apt-get install chromium, or name one in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def new_page(browser: Browser, address: str, token: str | None, **options: Any) -> Page:
    """Open a tab that is logged in; what it complains about is in ``page.complaints``."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    if token is not None:
        context.add_cookies([{"name": "_token", "value": token, "url": address}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.complaints = complaints  # type: ignore[attr-defined]
    return page


def violations(page: Page, scope: str = ".qc") -> list[str]:
    """Return what axe finds serious or critical below an element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=scope).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
