"""`make screenshots`: the pictures of README and docs, from Airflow's web application and a filled store."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import tests.conftest  # noqa: F401 - an Airflow of this process's own
from quantconnect_provider.store import Store
from tests.ui import browser as browsers
from tests.ui import seed, site

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WAIT_FOR_CHARTS_MILLISECONDS = 1500
LARGEST_BYTES = 300_000
# File, path, colour scheme, size.
PICTURES = [
    ("page", "/plugin/quantconnect", "light", (1440, 560)),
    ("page-dark", "/plugin/quantconnect", "dark", (1440, 560)),
    (
        "page-deployment",
        f"/plugin/quantconnect#/deployment/{seed.deploy_id_of(11000001)}",
        "light",
        (1440, 1500),
    ),
    ("panel", "/", "light", (1440, 620)),
]


def main() -> None:
    """Take every picture."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite:///{Path(folder) / 'store.db'}"
        os.environ["AIRFLOW_CONN_QUANTCONNECT_STORE"] = address
        with Store.open(address) as store:
            seed.fill(store, hostile="Mean reversion (new)")
        with site.application() as app, site.served(app) as served, browsers.launched() as browser:
            for name, path, scheme, (width, height) in PICTURES:
                page = browsers.new_page(
                    browser,
                    served,
                    site.token_of("admin"),
                    color_scheme=scheme,
                    viewport={"width": width, "height": height},
                )
                page.goto(served + path)
                page.wait_for_selector(".qc .tile, .qc .direction")
                page.wait_for_timeout(WAIT_FOR_CHARTS_MILLISECONDS)
                file = IMAGES / f"{name}.png"
                page.screenshot(path=file)
                assert file.stat().st_size < LARGEST_BYTES, file
                print(f"{file.name}: {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
